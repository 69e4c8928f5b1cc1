"""A copy of the clone whose steps only make their files, so that the wiring can be tested in seconds.

Snakefile, rules, profiles and package are the real ones; only the command ``mtlbio <step>`` is replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# One line per call goes to `calls`, of a part `train:fold0`. A file `wait_<step>` makes that step hang while it is
# there, `fail_<step>` makes it fail, `eat_<step>` makes it take the megabytes that stand in it and `nap_<step>` the
# seconds; `<step>_<run>` is the step of that run alone.
FAKE = """\
#!/bin/sh
step=$1; results=$4
[ "$5" = --part ] && step=$1:$6
EMPTY=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
TABLES="audit association ablation enrichment stability subspaces odds replicas null null_runs"
echo "$step" >> "$CLONE/calls"
for at in "$step" "${step}_${results##*/}"; do
    [ -e "$CLONE/fail_$at" ] && { echo "mtlbio: error: made to fail" >&2; exit 2; }
    [ -e "$CLONE/eat_$at" ] && python3 -c "import time; x = bytearray($(cat "$CLONE/eat_$at") * 2**20); time.sleep(5)"
    [ -e "$CLONE/nap_$at" ] && sleep "$(cat "$CLONE/nap_$at")"
    [ -e "$CLONE/wait_$at" ] && { echo "waits" >&2; touch "$CLONE/waiting" "$CLONE/waiting_$at"; }
    for second in $(seq 60); do [ -e "$CLONE/wait_$at" ] && sleep 1; done
done
cd "$results" || exit 1
case $step in
    prepare) made="cohort.h5ad qc.tsv splits.tsv" ;;
    train) made="model/model.json history.tsv conflict.tsv latents.h5ad predictions.tsv" ;;
    baselines) made="baselines/predictions.tsv" ;;
    evaluate) made="metrics.tsv comparisons.tsv transfer.tsv label_noise.tsv reprobe.tsv" ;;
    probe) made="verdicts.tsv"; for t in $TABLES; do made="$made probing/$t.tsv"; done ;;
    report) made="figures/a.svg report.html" ;;
    *:*) mkdir -p "parts/$1"; mkdir "parts/$1/$6"; touch "parts/$1/$6/part.json"; exit ;;
esac
mkdir -p model baselines probing figures manifest
files=""
for f in $made; do
    touch "$f"
    files="$files${files:+,} \\"$f\\": {\\"bytes\\": 0, \\"sha256\\": \\"$EMPTY\\"}"
done
touch "manifest/$step.started"
run=$(basename "$results")
rest='"reads": {}, "options": "", "modules": "", "data": [], "mtlbio": "0"'
echo "{\\"step\\": \\"$step\\", \\"run\\": \\"$run\\", \\"files\\": {$files}, $rest}" > "manifest/$step.json"
"""

RUN = """\
run: {name}
expression: {{path: ../expression.csv, scale: log2}}
metadata: {{path: ../{name}.csv}}
tasks: {{age: {{kind: regression}}}}
"""


class Clone:
    """A clone in a temporary folder with some runs, and what Snakemake says about it."""

    def __init__(self, folder: Path, runs: list[str]):
        self.folder, self.changes = folder, CHANGES
        commands = folder / "commands"
        commands.mkdir(parents=True)
        (commands / "mtlbio").write_text(FAKE)
        (commands / "mtlbio").chmod(0o755)
        hide = shutil.ignore_patterns("__pycache__", "*.parquet", ".*")
        for name in ("mtlbio", "workflow", "envs"):
            shutil.copytree(ROOT / name, folder / name, ignore=hide)
        shutil.copy(ROOT / "Snakefile", folder)
        # the interpreter's own folder follows, so that find_command has nothing to add in front of the fake
        path = f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(folder), "CLONE": str(folder)}
        self.environment = os.environ | own | {"PATH": path}
        # a small but valid cohort: `mtlbio run` looks at the data before it hands over
        rows = range(12)
        (folder / "expression.csv").write_text("sample_id,ACTB,GAPDH\n" + "".join(f"s{i},{i},{i % 5}\n" for i in rows))
        (folder / "config").mkdir()
        (folder / "config" / "config.yaml").write_text(f"runs: [{', '.join(map(self.yaml, runs))}]\n")
        for name in runs:
            (folder / self.yaml(name)).write_text(RUN.format(name=name))
            metadata = "".join(f"s{i},d{i},{30 + i}\n" for i in rows)
            (folder / f"{name}.csv").write_text("sample_id,donor_id,age\n" + metadata)

    @staticmethod
    def yaml(run: str) -> str:
        """The YAML of a run, relative to the clone."""
        return f"config/{run}.yaml"

    def call(self, *words: str, folder: Path | None = None, seconds: float = 300) -> subprocess.CompletedProcess:
        """Run ``python -m <words>``."""
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def stale(self) -> dict[str, set[str]]:
        """Steps that Snakemake would run now, by run; a run with nothing to do is left out."""
        done = self.call("snakemake", "--dry-run", "--cores", "2")
        assert done.returncode == 0, done.stderr
        found: dict[str, set[str]] = {}
        line = re.compile(r"^(\S+): (\w+)( \w+)?: would start", flags=re.MULTILINE)
        for run, step, part in line.findall(done.stdout + done.stderr):
            found.setdefault(run, set()).add(f"{step}_part" if part else step)
        return found

    @contextmanager
    def appended(self, file: str, text: str) -> Iterator[None]:
        """Add a line to a file of the clone, for a while; afterwards it is newer, but what it was."""
        path = self.folder / file
        before = path.read_text()
        path.write_text(before + text + "\n")
        try:
            yield
        finally:
            path.write_text(before)

    @property
    def calls(self) -> list[str]:
        """Steps that have been called so far, in order."""
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def clone(tmp_path):
    """A clone with one run, ``one``, in which nothing has run yet."""
    return Clone(tmp_path / "clone", ["one"])


@pytest.fixture
def study(tmp_path):
    """A clone with the runs ``a``, ``b`` and ``c``, in which nothing has run yet."""
    return Clone(tmp_path / "clone", ["a", "b", "c"])


@pytest.fixture
def clone_of(tmp_path):
    """Makes a clone with some runs, by their names."""
    return lambda *runs: Clone(tmp_path / "clone", list(runs))


# For the rerun tests: what is added to the YAML of each run, and what then runs again.
CHANGES = {
    "plain": ("# a remark", set()),
    "splits": ("splits: {folds: 3}", {"prepare", "train", "baselines", "evaluate", "probe", "report"}),
    "training": ("training: {epochs: 20}", {"train", "evaluate", "probe", "report"}),
    "baselines": ("baselines: {seed: 4}", {"baselines", "evaluate", "report"}),
    "evaluate": ("evaluate: {margin: 0.05}", {"evaluate", "report"}),
    "probe": ("probe: {alpha: 0.01}", {"probe", "report"}),
    "report": ("report: {title: Lupus}", {"report"}),
}


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A clone with the runs of ``CHANGES`` in which everything is up to date; tests leave it so."""
    done = Clone(tmp_path_factory.mktemp("finished") / "clone", list(CHANGES))
    made = done.call("snakemake", "--cores", "2")
    assert made.returncode == 0, made.stderr
    return done


@pytest.fixture(scope="session")
def scattered(tmp_path_factory):
    """A clone whose one run, ``one``, asked for jobs of their own and has finished; tests leave it so."""
    done = Clone(tmp_path_factory.mktemp("scattered") / "clone", ["one"])
    with (done.folder / done.yaml("one")).open("a") as yaml:
        yaml.write("training: {scatter: true}\nprobe: {null_refits: 25}\n")
    made = done.call("mtlbio", "run", "config/one.yaml", "--cores", "2")
    assert made.returncode == 0, made.stderr
    return done


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests on Slurm and slow ones kill processes and daemons: of several processes that run tests, these share one."""
    for item in items:
        kills = "slurm" in item.nodeid or item.get_closest_marker("slow")
        if item.path.parent == Path(__file__).parent and kills:
            item.add_marker(pytest.mark.xdist_group("workflows"))
