"""Blocks are read with the care of a cohort's one file, and what is said of a block names its keys."""

import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio.cohort.assays.build import cohort_of_blocks
from mtlbio.cohort.assays.simulate import plant
from mtlbio.errors import InputError
from mtlbio.kinds.read import read_run


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Folder with the planted run.yaml and its files."""
    return plant(tmp_path_factory.mktemp("blocks"), "planted", 3, donors=60).parent


def changed(planted, tmp_path, change, name="changed.csv", **keys):
    """The run with one block's table changed."""
    content = yaml.safe_load((planted / "run.yaml").read_text())
    table = pd.read_parquet(planted / "proteins.parquet")
    table = change(table)
    table.to_csv(tmp_path / name)
    for block in content["blocks"].values():
        block["path"] = str(planted / block["path"])
    content["metadata"]["path"] = str(planted / content["metadata"]["path"])
    content["blocks"]["proteins"] |= {"path": str(tmp_path / name), **keys}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return read_run(tmp_path / "run.yaml")


def put(value):
    def change(table):
        table.iloc[3, 4] = value
        return table

    return change


@pytest.mark.parametrize(
    ("change", "keys", "words"),
    [
        (put(np.inf), {}, "found inf"),
        (put(np.nan), {}, "write blocks.proteins.missing: drop"),
        (lambda table: table.T, {}, "write blocks.proteins.genes_in: rows"),
        (lambda table: table * np.nan, {}, "every measurement is missing"),
        (lambda table: (2**table).round() - 3, {"scale": "counts"}, "6 below 0"),
    ],
)
def test_a_block_that_cannot_be_used_is_one_line_with_its_key(planted, tmp_path, change, keys, words):
    run = changed(planted, tmp_path, change, **keys)
    with pytest.raises(InputError, match="^blocks.proteins: .*changed.csv: ") as error:
        cohort_of_blocks(run)
    assert words in str(error.value) and "expression." not in str(error.value)


def test_a_row_without_any_value_is_a_sample_that_lacks_the_block(planted, tmp_path):
    samples = pd.read_csv(planted / "metadata.csv", index_col=0).index
    whole, _ = cohort_of_blocks(read_run(planted / "run.yaml"))
    padded, _ = cohort_of_blocks(changed(planted, tmp_path, lambda table: table.reindex(samples)))
    assert np.isnan(whole.expression).any()
    assert padded.genes == whole.genes and padded.obs.equals(whole.obs)
    np.testing.assert_allclose(padded.expression, whole.expression, rtol=1e-6)


def test_one_matrix_is_one_block(planted, tmp_path):
    with pytest.raises(InputError, match="blocks.proteins.path: found .*rna.parquet, which is blocks.rna already"):
        changed(planted, tmp_path, lambda table: table, path=str(planted / "rna.parquet"))
