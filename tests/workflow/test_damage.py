"""Every file of a finished run damaged in every way: it is noticed and named by whoever reads it, and made again.

``MTLBIO_GRID=full`` damages every file that the steps wrote in every way and runs the workflow each time; otherwise
every file in every way is looked at by its readers, and the workflow mends three of them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.shared.small_run import write_small_run
from mtlbio import door
from mtlbio.errors import InputError
from mtlbio.integrity.record import contents, place_of, read_record
from mtlbio.integrity.step import checked
from mtlbio.integrity.steps import READS
from mtlbio.kinds import STEPS

pytestmark = pytest.mark.slow

FULL = os.environ.get("MTLBIO_GRID") == "full"


def run(folder: Path) -> subprocess.CompletedProcess:
    words = [sys.executable, "-m", "mtlbio", "run", "cohort/run.yaml", "--cores", "1"]
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Folder of two finished runs of one name: ``results/small``, and ``other/small`` of another cohort."""
    folder = tmp_path_factory.mktemp("damage")
    write_small_run(folder / "cohort")
    ended = run(folder)
    assert ended.returncode == 0, ended.stderr[-3000:]
    other = door.read_run(write_small_run(folder / "other_cohort", seed=2))
    for step in STEPS:
        door.steps.take(step, other, folder / "other/small")
    return folder


def cut(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_byte(path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def take_the_other_runs(path: Path, other: Path) -> None:
    shutil.copy2(other, path)


DAMAGE = (cut, flip_a_byte, take_the_other_runs)


def files(folder: Path) -> list[tuple[str, str]]:
    """Step and name of every file that a step wrote in both runs, and that is another one in the other run."""
    found = []
    for step in STEPS:
        record, other = (read_record(place_of(folder / name / "small", step)) for name in ("results", "other"))
        shared = [name for name in record.files if name in other.files]
        found += [(step, name) for name in shared if other.files[name] != record.files[name]]
    return found


def test_every_reader_names_every_damaged_file(done):
    folder, described = done / "results/small", door.read_run(done / "cohort/run.yaml")
    new, damaged = done / "cohort/expression.parquet", files(done)
    assert len(damaged) > 30 and {step for step, _ in damaged} == set(STEPS)
    for step, name in damaged:
        path, before = folder / name, (folder / name).read_bytes()
        for damage in DAMAGE:
            damage(path, done / "other/small" / name)
            for reader in [reader for reader in STEPS if step in READS[reader]]:
                with pytest.raises(InputError, match=f"{name}: .* by step {step}"):
                    door.steps.take(reader, described, folder)
            if step == "train":
                with pytest.raises(InputError, match=f"{name}: .* by step train"):
                    door.predict(described, new, folder, done / "predicted")
            with pytest.raises(InputError, match=f"{name}: .* by step {step}"):
                checked(folder, [step])
            path.write_bytes(before)
    assert not (done / "predicted").exists() and checked(folder, STEPS)


def test_the_workflow_makes_again_what_was_damaged_and_nothing_else(done):
    folder = done / "results/small"
    everything = {
        name: content for step in STEPS for name, content in read_record(place_of(folder, step)).files.items()
    }
    damaged = (
        files(done) if FULL else [("prepare", "cohort.h5ad"), ("train", "predictions.tsv"), ("report", "report.html")]
    )
    for number, (step, name) in enumerate(damaged):
        for damage in DAMAGE if FULL else [DAMAGE[number % 3]]:
            damage(folder / name, done / "other/small" / name)
            ended = run(done)
            assert ended.returncode == 0, ended.stderr[-3000:]
            said = (ended.stdout + ended.stderr).splitlines()
            assert [line for line in said if line.startswith(f"mtlbio: results/small/{name}: ")], name
            assert [line.split()[1].rstrip(":") for line in said if ": starts" in line] == [step]
            assert contents(folder, [folder / name for name in everything]) == everything


def test_files_of_another_run_are_not_taken_for_this_ones_with_their_records(done):
    folder, other = done / "results/small", done / "other/small"
    expected = read_record(place_of(folder, "train")).digest
    shutil.rmtree(folder / "model")
    shutil.copytree(other / "model", folder / "model")
    for name in ("history.tsv", "conflict.tsv", "latents.h5ad", "predictions.tsv", "manifest/train.json"):
        shutil.copy(other / name, folder / name)
    with pytest.raises(InputError, match="step train read other files of step prepare than are there now"):
        door.steps.take("probe", door.read_run(done / "cohort/run.yaml"), folder)
    ended = run(done)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "step train read other files of step prepare than are there" in ended.stderr + ended.stdout
    assert read_record(place_of(folder, "train")).digest == expected
