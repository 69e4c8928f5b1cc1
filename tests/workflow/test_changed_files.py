"""What somebody did to the files of a run is noticed when a workflow starts, by both doors."""

import json
import shutil
import socket

import pytest

SNAKEMAKE = ("snakemake", "--cores", "2")
DOORS = {"mtlbio": ("mtlbio", "run", "config/one.yaml", "--cores", "2"), "snakemake": SNAKEMAKE}


@pytest.fixture(params=DOORS)
def words(request):
    return DOORS[request.param]


def lines_of(done) -> list[str]:
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("mtlbio: ")]


def test_a_folder_of_somebody_else_is_refused_and_untouched(clone, words):
    mine = clone.folder / "results/one"
    for name in ("model/weights.safetensors", "figures/a.svg", "report.html"):
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_text("mine")
    done = clone.call(*words)
    assert done.returncode != 0 and clone.calls == []
    (line,) = lines_of(done)
    assert "results/one: holds files that mtlbio did not write (figures, model, report.html)" in line
    assert line.startswith("mtlbio: error: ")
    assert sorted(p.name for p in mine.rglob("*") if p.is_file()) == ["a.svg", "report.html", "weights.safetensors"]


def test_a_file_of_somebody_else_in_a_folder_that_is_made_anew_is_refused(clone, words):
    assert clone.call(*words).returncode == 0
    mine, before = clone.folder / "results/one/figures/mine.svg", clone.calls
    mine.write_text("mine")
    (clone.folder / "results/one/notes.txt").write_text("mine")
    told = "results/one/figures/mine.svg: mtlbio did not write it (1 such file), and step report "
    for more in ([], ["-n"]):  # nothing has to be written there
        done = clone.call(*words, *more)
        assert done.returncode == 0 and clone.calls == before and mine.read_text() == "mine"
        assert [line for line in lines_of(done) if f"Warning: {told}writes there: it is left alone" in line]
    for more in (["--forceall"], ["--forcerun", "report"]):
        done = clone.call(*words, *more)
        assert done.returncode != 0 and clone.calls == before and mine.read_text() == "mine"
        assert [line for line in lines_of(done) if f"{told}would write there; move it elsewhere" in line]
    mine.unlink()
    assert clone.call(*words, "--forceall").returncode == 0
    assert (clone.folder / "results/one/notes.txt").read_text() == "mine"


def test_a_changed_table_is_named_and_made_again(clone):
    assert clone.call(*SNAKEMAKE).returncode == 0
    table = clone.folder / "results/one/predictions.tsv"
    table.write_text("edited")
    changed = "mtlbio: results/one/predictions.tsv: replaced or added to: 6 bytes where 0 were written (by step train)"
    again = "mtlbio: results/one: step train would be taken again; what is there would be kept in set_aside"
    for door in (SNAKEMAKE, ("mtlbio", "run", "config/one.yaml")):
        looked = clone.call(*door, "-n")
        assert looked.returncode == 0 and lines_of(looked) == [changed, again]
        assert "one: train: would start (made again)" in looked.stdout + looked.stderr
    assert table.read_text() == "edited" and not (clone.folder / "results/one/set_aside").exists()
    done = clone.call(*SNAKEMAKE)
    assert done.returncode == 0
    first, second = lines_of(done)
    assert first == (
        "mtlbio: results/one/predictions.tsv: replaced or added to: 6 bytes where 0 were written (by step train)"
    )
    assert second.endswith("step train is taken again; what was there is kept in set_aside/train.1")
    assert table.read_text() == "" and (clone.folder / "results/one/set_aside/train.1/predictions.tsv").exists()
    assert clone.calls.count("prepare") == 1 and clone.calls.count("train") == 2


def test_a_copied_run_is_not_taken_for_another(clone):
    assert clone.call(*SNAKEMAKE).returncode == 0
    before = clone.calls
    place = clone.folder / "config/one.yaml"
    place.write_text(place.read_text().replace("run: one", "run: two"))
    shutil.copytree(clone.folder / "results/one", clone.folder / "results/two")
    done = clone.call(*SNAKEMAKE)
    assert done.returncode != 0 and clone.calls == before
    assert lines_of(done) == ["mtlbio: error: results/two: holds run one, and this is run two; give another folder"]


def test_a_lock_of_a_dead_process_is_taken_over(clone, words):
    (clone.folder / "results/one/manifest").mkdir(parents=True)
    (clone.folder / "results/one/manifest/run.json").write_text(json.dumps({"holds": "run one"}))
    dead = {"host": socket.gethostname(), "boot": "another", "pid": 1, "start": 1}
    (clone.folder / "results/one/manifest/owner.json").write_text(json.dumps(dead))
    (clone.folder / ".snakemake/locks").mkdir(parents=True)
    (clone.folder / ".snakemake/locks/0.output.lock").write_text("results/one/qc.tsv\n")
    done = clone.call(*words)
    assert done.returncode == 0, done.stderr
    assert lines_of(done) == ["mtlbio: results/one: taken over from process 1, which ended before its work did"]
    assert not (clone.folder / "results/one/manifest/owner.json").exists()


def test_a_run_of_another_machine_waits_for_unlock(clone):
    assert clone.call(*SNAKEMAKE).returncode == 0
    other = {"host": "node7", "boot": "", "pid": 4711, "start": 1}
    (clone.folder / "results/one/manifest/owner.json").write_text(json.dumps(other))
    done = clone.call(*SNAKEMAKE)
    assert done.returncode != 0
    assert lines_of(done) == [
        "mtlbio: error: results/one: process 4711 on node7 is at work on this run; if it is no more, add --unlock once"
    ]
    assert clone.call(*SNAKEMAKE, "--unlock").returncode == 0
    done = clone.call(*SNAKEMAKE)
    assert done.returncode == 0 and lines_of(done) == []
