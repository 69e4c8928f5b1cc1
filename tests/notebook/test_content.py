"""What a call says, as the sections of a YAML."""

import pandas as pd
import pytest

from mtlbio.errors import InputError
from mtlbio.notebook.content import CELLS, sets_of, shared_content

OBS = pd.DataFrame({"donor": [f"D{i}" for i in range(4)], "disease": ["case", "control"] * 2})


def content(obs=OBS, scale="log2", by=(), cells=None, **sections):
    return shared_content(
        obs, "obs", "donor", {"disease": "case"}, None, scale, None, "symbol", None, by, cells, sections
    )


def test_arguments_and_sections_are_merged():
    said = content(expression={"missing": "drop"}, metadata={"missing": [-9]}, training={"seeds": 3})
    assert said["expression"] == {"path": "memory", "scale": "log2", "genes": "symbol", "missing": "drop"}
    assert said["metadata"] == {"donor": "donor", "missing": [-9]} and said["training"] == {"seeds": 3}
    assert "pseudobulk" not in said and "gene_sets" not in said
    assert "expression" not in content(scale=None)


def test_rows_are_cells_where_donors_have_many():
    many = pd.concat([OBS] * CELLS, ignore_index=True)
    assert content(many)["pseudobulk"] == {"by": []} and "pseudobulk" not in content(many[:-4])
    assert "pseudobulk" not in content(many, cells=False)
    assert content(by=("disease",))["pseudobulk"] == {"by": ["disease"]}
    assert content(pseudobulk={"min_cells": 3})["pseudobulk"] == {"by": [], "min_cells": 3}


def test_what_does_not_fit_is_one_line(tmp_path):
    for key in ("metadata", "expression", "pseudobulk"):
        with pytest.raises(InputError, match=f"^{key}: found int; expected a dictionary of its keys$"):
            content(**{key: 3})
    with pytest.raises(InputError, match="gene_sets: no such file: .*; valid: builtin, or the path of a GMT file"):
        sets_of(tmp_path)
    with pytest.raises(InputError, match="^scale: missing; a section expression is about measurements"):
        content(scale=None, expression={"missing": "drop"})
    assert sets_of("builtin") == "builtin"
