"""The container file and the conda recipe ask for what the project asks for."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RECIPE = yaml.safe_load((ROOT / "envs/recipe/recipe.yaml").read_text())
DOCKERFILE = (ROOT / "envs/Dockerfile").read_text()

# what conda-forge and bioconda call a library otherwise, without what its Python part can do without
CONDA = {"decoupler": "decoupler-py", "matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal"}
CONDA |= {"torch": "pytorch"}


def asked(lines: list[str]) -> dict[str, set[str]]:
    """Name -> the parts of its range, of lines such as ``pandas >=2.2,<3``."""
    split = [line.partition(" ") for line in lines]
    return {name: set(filter(None, range_.split(","))) for name, _, range_ in split}


def of_project(texts: list[str]) -> dict[str, set[str]]:
    requirements = map(Requirement, texts)
    return {CONDA.get(r.name, canonicalize_name(r.name)): set(map(str, r.specifier)) for r in requirements}


def test_the_recipe_asks_for_the_projects_ranges_and_no_more():
    run = asked(RECIPE["requirements"]["run"])
    assert run.pop("python") == {">=${{ python_min }}"}
    assert run == of_project(PROJECT["dependencies"])
    assert asked(RECIPE["requirements"]["run_constraints"]) == of_project(PROJECT["optional-dependencies"]["slurm"])


def test_the_recipe_builds_with_the_projects_python_and_tools():
    python = RECIPE["context"]["python_min"]
    assert PROJECT["requires-python"] == f">={python}"
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    host = asked(RECIPE["requirements"]["host"])
    assert host.pop("python") == {"${{ python_min }}.*"} and host.pop("pip") == set()
    assert host == of_project(build)
    (entry,) = PROJECT["scripts"].items()
    assert RECIPE["build"]["python"]["entry_points"] == [" = ".join(entry)]
    assert (RECIPE["about"]["license"], RECIPE["about"]["summary"] in PROJECT["description"]) == (
        PROJECT["license"],
        True,
    )


def test_the_recipe_and_the_container_take_their_sources_from_the_clone():
    assert (ROOT / "envs/recipe" / RECIPE["source"]["path"]).resolve() == ROOT
    assert (ROOT / RECIPE["about"]["license_file"]).is_file()
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ")]
    sources = [source for line in copied for source in line]
    assert len(sources) == 8 and all((ROOT / source).exists() for source in sources)
    sent = {line[1:] for line in (ROOT / "envs/Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert sent == set(sources)


def test_the_container_has_the_pinned_python_and_libraries():
    environment = yaml.safe_load((ROOT / "envs/mtlbio.yaml").read_text())
    (python,) = (entry.removeprefix("python=") for entry in environment["dependencies"] if "python=" in str(entry))
    assert re.findall(r"^FROM (\S+)$", DOCKERFILE, flags=re.MULTILINE) == [f"python:{python}-slim"]
    installs = re.findall(r"pip install (.+)$", DOCKERFILE, flags=re.MULTILINE)
    # torch by its pin alone first, so that the layer stays when mtlbio changes; then everything else by the constraints
    assert [line.removeprefix("--no-cache-dir ") for line in installs] == [
        "\"$(grep '^torch==' envs/constraints.txt)\"",
        "-c envs/constraints.txt '.[slurm]'",
    ]
    assert "==" not in DOCKERFILE.replace("^torch==", "")  # no pin that constraints.txt does not have
