"""What people who do not clone get: sdist and wheel, built from what is versioned, installed elsewhere and run.

The environment is a fresh one, into which pip brings every library that the wheel asks for: a few minutes. To try
something in between, ``MTLBIO_LIBRARIES=here`` sees those of this environment instead (of mtlbio only the wheel).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import tomllib
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.shared.small_run import write_small_run
from mtlbio import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME = f"mtlbio-{__version__}"
SHARE = f"{NAME}.data/data/share/mtlbio/"

in_a_clone = (ROOT / ".git").exists() and shutil.which("git") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not in_a_clone, reason="git does not say here which files are versioned"),
    pytest.mark.xdist_group("distributions"),
]

# the hooks that pip calls, without the environment that it would make for each
BUILD = "import sys, setuptools.build_meta as hooks; print(getattr(hooks, f'build_{sys.argv[1]}')(sys.argv[2]))"
NOTEBOOK = """
import sys, nbformat, nbclient
cells = [nbformat.v4.new_code_cell(cell) for cell in open(sys.argv[1]).read().split("# %%")]
notebook = nbformat.v4.new_notebook(cells=cells)
nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def call(*words: object, folder: Path, **more: str) -> str:
    """Standard output of a command that has to succeed, in an environment that does not know the clone."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "MTLBIO"))}
    own |= {"XDG_CACHE_HOME": str(folder / "cache"), "OMP_NUM_THREADS": "1"} | more
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=own, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def versioned() -> list[str]:
    """Files that git knows, as they lie here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copied(folder: Path) -> Path:
    """A copy of the versioned files: nothing that lies about in the clone comes along."""
    for name in versioned():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@dataclass(frozen=True)
class Built:
    """The distributions: source, wheel made from the clone's files, and wheel made from the source distribution."""

    sdist: Path
    wheel: Path
    of_sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    call(sys.executable, "-m", "venv", folder / "env", folder=folder)
    python = folder / "env/bin/python"
    call(python, "-m", "pip", "-q", "install", *PROJECT["build-system"]["requires"], folder=folder)
    tree, out = copied(folder / "tree"), folder / "dist"
    sdist = out / call(python, "-c", BUILD, "sdist", out, folder=tree).split()[-1]
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    shutil.rmtree(tree / "mtlbio.egg-info", ignore_errors=True)  # what it lists is no source of the wheel
    wheel = out / call(python, "-c", BUILD, "wheel", out, folder=tree).split()[-1]
    again = folder / "dist_of_sdist"
    of_sdist = again / call(python, "-c", BUILD, "wheel", again, folder=folder / "unpacked" / NAME).split()[-1]
    return Built(sdist, wheel, of_sdist)


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def package_files() -> set[str]:
    """Versioned files of the package."""
    return {name for name in versioned() if name.startswith("mtlbio/")}


def shared_files() -> set[str]:
    """What the workflow needs beside the package; its schemas are for editors, and are written from the models."""
    workflow = {name for name in versioned() if name.startswith("workflow/") and "/schemas/" not in name}
    return workflow | {"envs/mtlbio.yaml"}


def test_the_wheel_holds_package_workflow_and_licence_and_nothing_else(built):
    about = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt")
    expected = package_files() | {SHARE + name for name in shared_files()}
    expected |= {f"{NAME}.dist-info/{name}" for name in about}
    found = contents(built.wheel)
    assert set(found) == expected
    assert {"mtlbio/py.typed", f"{SHARE}workflow/Snakefile", "mtlbio/cohort/data/programmes.gmt"} < set(found)
    for name in package_files() | shared_files():
        assert found.get(name, found.get(SHARE + name)) == (ROOT / name).read_bytes(), name
    assert found[f"{NAME}.dist-info/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_source_distribution_holds_what_a_wheel_is_made_from_and_no_tests(built):
    with tarfile.open(built.sdist) as archive:
        files = {member.name for member in archive.getmembers() if member.isfile()}
    own = {"PKG-INFO", "setup.cfg"}
    made = {name for name in files if "/mtlbio.egg-info/" in name}
    beside = {"pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"}
    expected = package_files() | shared_files() | beside | {"envs/constraints.txt"} | own
    assert files - made == {f"{NAME}/{name}" for name in expected}


def test_a_wheel_of_the_source_distribution_is_the_wheel_of_the_clone(built):
    one, other = (
        {n: hashlib.sha256(c).hexdigest() for n, c in contents(w).items()} for w in (built.wheel, built.of_sdist)
    )
    assert one == other and built.wheel.name == built.of_sdist.name == f"{NAME}-py3-none-any.whl"


def test_no_place_of_this_machine_stands_in_the_wheel(built):
    places = [str(place).encode() for place in {ROOT, ROOT.parent / "shared", built.wheel.parents[1], Path.home()}]
    places = [place for place in places if len(place) > len(b"/root")] + [b"/root/"]
    assert [(name, place) for name, text in contents(built.wheel).items() for place in places if place in text] == []


def test_the_metadata_are_those_of_the_project(built):
    about = Parser().parsestr(contents(built.wheel)[f"{NAME}.dist-info/METADATA"].decode())
    project = PROJECT["project"]
    assert (about["Name"], about["Version"], about["License-Expression"]) == ("mtlbio", __version__, "BSD-3-Clause")
    assert about["Requires-Python"] == project["requires-python"]
    asked = {str(Requirement(text)) for text in about.get_all("Requires-Dist") if "extra ==" not in text}
    assert asked == {str(Requirement(text)) for text in project["dependencies"]}
    assert set(about.get_all("Provides-Extra")) == set(project["optional-dependencies"])


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and an empty folder outside of the clone."""

    python: Path
    folder: Path

    def mtlbio(self, *words: object) -> str:
        return call(self.python.parent / "mtlbio", *words, folder=self.folder)


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory) -> Installed:
    folder = tmp_path_factory.mktemp("elsewhere")
    call(sys.executable, "-m", "venv", folder / "env", folder=folder)
    python = folder / "env/bin/python"
    if os.environ.get("MTLBIO_LIBRARIES") == "here":
        (site,) = (folder / "env/lib").glob("python*/site-packages")
        (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    # torch as it is here: whether with CUDA or not, it is the largest part
    torch = call(sys.executable, "-c", "import torch; print(torch.__version__)", folder=folder).strip()
    pins = (ROOT / "envs/constraints.txt").read_text()
    (folder / "constraints.txt").write_text(re.sub(r"^torch==.*$", f"torch=={torch}", pins, flags=re.MULTILINE))
    words = [python, "-m", "pip", "-q", "--disable-pip-version-check", "install", "-c", "constraints.txt"]
    call(*words, built.wheel, folder=folder)
    call(*words, "nbclient", "ipykernel", folder=folder)
    (folder / "work").mkdir()
    return Installed(python, folder / "work")


def test_what_runs_is_the_wheel(installed):
    code = "import mtlbio; print(mtlbio.__file__); from mtlbio.workflow import snakefile; print(snakefile())"
    package, snakefile = call(installed.python, "-c", code, folder=installed.folder).split()
    environment = str(installed.python.parents[1])
    assert package.startswith(environment) and snakefile == f"{environment}/share/mtlbio/workflow/Snakefile"
    assert installed.mtlbio("--version") == f"mtlbio {__version__}\n"


def test_no_library_is_missing_or_of_another_version(installed):
    assert call(installed.python, "-m", "pip", "check", folder=installed.folder) == "No broken requirements found.\n"


def test_from_a_planted_cohort_to_a_page_and_new_samples(installed):
    folder = installed.folder
    installed.mtlbio("simulate", "planted", "--donors", 60, "--genes", 300, "--seed", 1)
    assert (folder / "planted/truth.csv").exists()
    write_small_run(folder / "cohort")
    installed.mtlbio("run", "cohort/run.yaml", "--cores", 2)
    page = (folder / "results/small/report.html").read_text()
    assert "<html" in page and str(ROOT) not in page
    assert installed.mtlbio("verify", "results/small").count("as written") == 6
    installed.mtlbio("predict", "results/small", "cohort/expression.parquet")
    assert (folder / "results/small/predict/expression/predictions.tsv").exists()


def test_a_notebook_of_the_documented_steps_is_executed(installed):
    """The cells are the first example of docs/python.md, on a small run."""
    folder = installed.folder
    write_small_run(folder / "planted")
    steps = re.search(r"```python\n(.+?)```", (ROOT / "docs/python.md").read_text(), flags=re.DOTALL)[1]
    looked_at = textwrap.dedent("""\
        assert set(metrics["arm"]) >= {"multitask", "singletask"}
        assert {"dim", "verdict", "why"} <= set(verdicts.columns) and len(verdicts) > 2
        assert page.exists() and set(new["sample"]) == set(predictions["sample"])
        verdicts[["dim", "verdict", "why"]]
        """)
    (folder / "cells.py").write_text("# %%".join([*steps.splitlines(keepends=True), looked_at]))
    call(installed.python, "-c", NOTEBOOK, "cells.py", "steps.ipynb", folder=folder)
    assert "<table" in (folder / "steps.ipynb").read_text()  # the verdicts, as a notebook shows them
