"""The words of every kind of run, and that nothing puts other words into a finished sentence."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

import mtlbio
from mtlbio.kinds import kind_of
from mtlbio.kinds.read import as_run
from mtlbio.kinds.vocabulary import CHAINS, DONORS, PATIENTS, Vocabulary

PACKAGE = Path(mtlbio.__file__).parent
# modules that substitute by regular expression: names out of files, markup of figures, a section of the docs
SUBSTITUTE = {
    "cohort/values/named_scale.py",
    "cohort/values/annotation.py",
    "cohort/values/matching.py",
    "cohort/assays/build.py",  # expression.KEY in what readers say becomes blocks.NAME.KEY
    "cohort/drafts/drafting.py",
    "cohort/drafts/guess.py",
    "report/svg.py",
    "probing/columns.py",
}


def test_every_kind_of_run_has_its_words():
    tasks, metadata = {"y": {"kind": "regression"}}, {"path": "m.csv", "sample": "id", "donor": "id"}
    cohort = {"run": "a", "expression": {"path": "x.csv", "scale": "log"}, "metadata": metadata, "tasks": tasks}
    assert kind_of(as_run(cohort)).vocabulary is DONORS
    del cohort["expression"]
    table = as_run(cohort | {"features": {"path": "x.csv", "numeric": ["weight"]}})
    assert kind_of(table).vocabulary is PATIENTS
    chains = {"run": "a", "kind": "protein", "chains": {"own": {"path": "x.csv"}}, "tasks": tasks}
    assert kind_of(as_run(chains)).vocabulary is CHAINS


def test_a_table_of_features_differs_from_a_cohort_in_what_is_measured_only():
    differs = {f.name for f in fields(Vocabulary) if getattr(PATIENTS, f.name) != getattr(DONORS, f.name)}
    of_features = {"feature", "features", "top_features"}
    assert differs == of_features | {f.name for f in fields(Vocabulary) if f.name.startswith("gene_set")}


def test_chains_take_no_word_of_a_cohort():
    words = " ".join(str(getattr(CHAINS, f.name)) for f in fields(Vocabulary)).lower()
    assert not [w for w in ("donor", "sample", "gene", "cohort", "batch", "fold", "disease", "sex") if w in words]


def test_fixed_texts_are_filled_and_capitals_stand_at_the_beginning():
    assert DONORS.fill("too few {units}; no {gene_set}") == "too few donors; no gene set"
    assert CHAINS.fill("too few {units}; no {gene_set}") == "too few chains; no property"
    assert (CHAINS.capital_units, CHAINS.capital_feature) == ("Chains", "Letter")
    with pytest.raises(KeyError):
        DONORS.fill("{people}")


def test_no_module_puts_words_into_a_finished_sentence():
    """A regular expression over finished sentences once turned a label that was called batch into a data set."""
    assert not (PACKAGE / "wording.py").exists()
    found = set()
    of_users = (PACKAGE / "intake").rglob("*.py")  # what they read is no sentence of the package
    for path in {*PACKAGE.rglob("*.py")} - {*of_users}:
        calls = [n.func for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        if any(isinstance(f, ast.Attribute) and f.attr in ("sub", "subn") for f in calls):
            found.add(path.relative_to(PACKAGE).as_posix())
    assert found == SUBSTITUTE
