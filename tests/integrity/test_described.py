"""Two YAMLs of one name: the second is refused while the first still claims the results."""

import shutil

import pytest

from mtlbio.errors import InputError
from mtlbio.integrity.described import DESCRIBED, check_described, describe


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "results/lupus"
    (folder / "manifest").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("run: lupus\n")
    describe(folder, tmp_path / "a.yaml")
    return folder


def test_another_yaml_of_the_same_name_is_refused(folder, tmp_path):
    check_described(folder, tmp_path / "a.yaml")
    with pytest.raises(InputError, match=r"b.yaml: run: 'lupus' is the name of .*a.yaml too, whose results stand in"):
        check_described(folder, tmp_path / "b.yaml")


@pytest.mark.parametrize("change", ["moved", "renamed", "damaged", "no record"])
def test_a_yaml_that_was_moved_or_names_another_run_claims_nothing(folder, tmp_path, change):
    first = tmp_path / "a.yaml"
    if change == "moved":
        first.rename(tmp_path / "c.yaml")
    elif change == "renamed":
        first.write_text("run: other\n")
    elif change == "damaged":
        first.write_text("run: [")
    else:
        (folder / DESCRIBED).write_text("{")
    check_described(folder, tmp_path / "b.yaml")
    describe(folder, tmp_path / "b.yaml")
    check_described(folder, tmp_path / "b.yaml")


def test_the_same_file_by_another_way_is_the_same(folder, tmp_path):
    (tmp_path / "link.yaml").symlink_to(tmp_path / "a.yaml")
    check_described(folder, tmp_path / "link.yaml")


def test_a_copy_of_the_results_is_nobodys(folder, tmp_path):
    copy = tmp_path / "elsewhere/lupus"
    shutil.copytree(folder, copy)
    check_described(copy, tmp_path / "b.yaml")
