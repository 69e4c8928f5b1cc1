"""Installation: pins agree everywhere, what the workflow names exists, and the set-up script says what is missing."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lines) -> dict[str, str]:
    """Version by name of the lines ``name==version``."""
    found = [re.fullmatch(r"\s*(?:- )?([\w.-]+)==(\S+)\s*", line) for line in lines]
    return {canonicalize_name(m[1]): m[2] for m in found if m}


ALL = (ROOT / "envs/constraints.txt").read_text()
CONSTRAINTS = pins(ALL.splitlines())
# without those of the documentation site, which stand at the end
FOR_RUNS = pins(ALL.partition("# The documentation site")[0].splitlines())


def test_every_direct_dependency_is_pinned_inside_its_range():
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *extras["test"], *extras["slurm"], *extras["docs"]]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(CONSTRAINTS[canonicalize_name(requirement.name)]), text


def test_pins_are_public_versions_without_gpu_libraries():
    assert not [name for name, version in CONSTRAINTS.items() if "+" in version or name.startswith("nvidia")]


def test_conda_names_the_same_pins_and_a_python_that_the_project_takes():
    environment = yaml.safe_load((ROOT / "envs/mtlbio.yaml").read_text())
    *conda, pip = environment["dependencies"]
    assert pins(pip["pip"]) == FOR_RUNS and len(FOR_RUNS) < len(CONSTRAINTS)
    python = next(entry.removeprefix("python=") for entry in conda if entry.startswith("python="))
    assert python in PROJECT["project"]["requires-python"]
    container = (ROOT / "envs/mtlbio.def").read_text()
    assert f"From: python:{python}-" in container and "-c envs/constraints.txt" in container


def test_what_the_container_copies_and_the_rules_name_is_there():
    copied = re.findall(r"^    (\S+) /opt/mtlbio/\S+$", (ROOT / "envs/mtlbio.def").read_text(), flags=re.MULTILINE)
    assert len(copied) == 6 and all((ROOT / name).exists() for name in copied)
    for rules in (ROOT / "workflow/rules").glob("*.smk"):
        for named in re.findall(r'"(\.\./[^"]+)"', rules.read_text()):
            assert (rules.parent / named).is_file(), f"{rules.name}: {named}"


def test_a_wheel_carries_the_workflow_and_the_package_data():
    carried = PROJECT["tool"]["setuptools"]["data-files"]
    for target, patterns in carried.items():
        for pattern in patterns:
            found = list(ROOT.glob(pattern))
            assert found, pattern
            # the same places relative to each other, because the rules name captions and environments so
            assert {str(f.parent.relative_to(ROOT)) for f in found} == {target.removeprefix("share/mtlbio/")}
    files = {f for patterns in carried.values() for p in patterns for f in ROOT.glob(p)}
    needed = [f for f in (ROOT / "workflow").rglob("*") if f.is_file() and "schemas" not in f.parts]
    assert set(needed) <= files
    data = PROJECT["tool"]["setuptools"]["package-data"]["mtlbio"]
    shipped = {f for pattern in data for f in (ROOT / "mtlbio").glob(pattern)}
    other = {f for f in (ROOT / "mtlbio").rglob("*") if f.is_file() and f.suffix not in (".py", ".pyc")}
    assert {f for f in other if not f.name.startswith(".")} <= shipped


def test_tool_versions_that_change_their_output_are_pinned_exactly():
    exact = {
        Requirement(t).name: str(Requirement(t).specifier) for t in PROJECT["project"]["optional-dependencies"]["test"]
    }
    assert exact["ruff"] == f"=={CONSTRAINTS['ruff']}" and exact["snakefmt"] == f"=={CONSTRAINTS['snakefmt']}"


def setup(folder: Path, python: str | None) -> subprocess.CompletedProcess:
    """Run the set-up script of a copy, where ``python`` is the only interpreter."""
    for room in ("envs", "mtlbio"):
        (folder / room).mkdir()
    for name in ("envs/setup.sh", "envs/constraints.txt", "pyproject.toml", "mtlbio/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    for tool in ("cat", "cksum", "grep", "dirname"):
        os.symlink(shutil.which(tool), folder / tool)
    if python is not None:
        (folder / "python3").write_text(python)
        (folder / "python3").chmod(0o755)
    environment = {"PATH": str(folder)}
    return subprocess.run(
        [shutil.which("bash"), "envs/setup.sh"], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "python, message",
    [
        (None, "setup: no python >= 3.11 on PATH; install one"),
        ("#!/bin/sh\nexit 1\n", "setup: no python >= 3.11 on PATH; install one"),
        (
            '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; *print*) echo python3.12-venv ;; esac\n',
            "setup: python3 has no ensurepip; install it (Debian, Ubuntu: sudo apt-get install python3.12-venv)",
        ),
    ],
)
def test_setup_names_the_line_that_helps_where_python_is_missing(tmp_path, python, message):
    done = setup(tmp_path, python)
    assert done.returncode == 1
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_scripts_are_valid_bash_and_executable():
    for script in ("envs/setup.sh", ".ci/run"):
        subprocess.run(["bash", "-n", ROOT / script], check=True)
        assert os.access(ROOT / script, os.X_OK)
        assert "set -euo pipefail" in (ROOT / script).read_text()


@pytest.mark.xdist_group("one process")
def test_tests_of_a_group_share_a_process(request):
    """Where pytest-xdist and pytest do not go together, groups are forgotten and nothing is said."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("one process runs all tests: no groups")
    assert request.node.nodeid.endswith("@one process")
