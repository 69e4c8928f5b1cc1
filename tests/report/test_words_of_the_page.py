"""The page's own words are those of its kind of run."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio.kinds import KINDS
from mtlbio.kinds.vocabulary import CHAINS, DONORS, PATIENTS
from mtlbio.report import plain
from mtlbio.report.cards import card_figure
from mtlbio.report.choice import choose
from mtlbio.report.conflicts import pairs, sentence
from mtlbio.report.context import legend, page_context
from mtlbio.report.facts import files
from mtlbio.report.figures import plan
from mtlbio.report.fresh import fresh_readings
from mtlbio.report.gain_curve import gain_figure
from mtlbio.report.inputs import Inputs, read_inputs
from mtlbio.report.page import render
from mtlbio.report.performance import performance_figure
from mtlbio.report.svg import Picture, house_style
from mtlbio.tables import METRICS, read_table, write_table

OF_COHORTS = re.compile(
    r"\b(donors?|samples?|genes?|gene-sparse|the batch|folds and seeds|age, sex or)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def fabricated(tmp_path_factory):
    """A run and its folder; neither its title nor a table holds a word that is a kind's own, but for names."""
    folder = tmp_path_factory.mktemp("words")
    run = fabricate(folder, donors=40)
    run = run.model_copy(update={"report": run.report.model_copy(update={"title": "A title"})})
    for name, changes in (
        ("qc", {"kind": "chain", "reason": "too short"}),
        ("splits", {"part": "train"}),
        ("probing/audit", {"why": "the two go together."}),
        ("probing/enrichment", {"correlation": 0.5}),
        ("verdicts", {"error_rate": 0.03}),
    ):
        write_table(read_table(folder / f"{name}.tsv").assign(**changes), folder / f"{name}.tsv")
    return run, folder


def speaking(fabricated, words, monkeypatch) -> Inputs:
    """What the page is made of, in these words; with those of chains it is that of a protein run."""
    monkeypatch.setattr(Inputs, "words", words)
    monkeypatch.setattr(Inputs, "kind", KINDS["protein"] if words is CHAINS else KINDS["cohort"])
    return read_inputs(*fabricated)


def shown(fabricated, words, monkeypatch, gone: tuple[str, ...] = ()) -> str:
    """The text of the page with every section, and of the labels that screen readers read."""
    inputs = speaking(fabricated, words, monkeypatch)
    for name in gone:
        del inputs.tables[name]
    chosen = choose(inputs.verdicts, 6)
    picture = Picture("<svg></svg>", 1.0)
    context = page_context(inputs, chosen, dict.fromkeys(plan(inputs, chosen), picture))
    context["effects"] = [{"name": "dose", "picture": picture, "sentences": ["Widest: none."]}]
    page = re.sub(r"<script.*?</script>", "", render(context).split("</style>", 1)[1], flags=re.DOTALL)
    return " ".join([re.sub(r"<[^>]*>", "", page), *re.findall(r'(?:aria-label|title)="([^"]*)"', page)])


def test_the_page_of_a_protein_run_has_no_word_of_a_cohort(fabricated, monkeypatch):
    text = shown(fabricated, CHAINS, monkeypatch)
    assert OF_COHORTS.findall(text) == []
    for said in (
        "Tasks, residues by label",
        "Letters at and around the residue: ",
        "Stability over replicas 0.",
        "Every point is a chain (or a residue, where the driver varies within a chain), encoded only by models that",
        "still follows a label once confounders, data set and the other dimensions are given",
        "follows how the chains were chosen and solved",
        "too few chains to affirm or to exclude anything",
        "Can the data set still be read?",
        "From h_t it can be read",
        "Mean over replicas, band",
        "median over replicas, band",
        "Chains concerned (2 of 2 shown)",
        "Chains, not residues, as the unit",
        "Properties of residues: AAindex, Kawashima et al. 2008",
        "comes from the data set.",
    ):
        assert said in text, said
    assert text.count("Properties of residues") == 3  # heading, label of the table, what to cite


def test_the_pages_of_cohorts_and_of_tables_differ_in_what_is_measured(fabricated, monkeypatch):
    of_donors, of_patients = (shown(fabricated, words, monkeypatch) for words in (DONORS, PATIENTS))
    for said in (
        "Tasks, samples by label",
        "Every point is a donor (or a sample, where the driver varies within a donor), encoded only by models that",
        "still follows the disease (or another label) once confounders, batch and the other dimensions are given",
        "follows how the samples were processed",
        "Can the batch still be read?",
        "From the axes, which are found without labels, it can be read",
        "Mean over replicas (folds and seeds), band",
        "Samples, donors and cells concerned",
        "Donors, not cells or visits, as the unit",
        "comes from the processing.",
    ):
        assert said in of_donors and said in of_patients, said
    assert "Top genes: " in of_donors and "Gene-sparse axes" in of_donors
    assert of_donors.count("Gene sets") == 3 and "Gene sets: decoupler, Badia-i-Mompel et al. 2022" in of_donors
    assert "Columns: " in of_patients and "Feature-sparse axes" in of_patients and "decoupler," not in of_patients


def test_what_is_missing_is_said_in_the_words_of_the_run(fabricated, monkeypatch):
    said = "No probing/enrichment.tsv in this run: no "
    for words, rest in (
        (DONORS, "gene sets were tested (the run's gene_sets names them)."),
        (PATIENTS, "features were tested (mtlbio probe writes it)."),
        (CHAINS, "properties were tested (mtlbio probe writes it)."),
    ):
        assert said + rest in shown(fabricated, words, monkeypatch, gone=("enrichment",)).replace("&#39;", "'")


def test_files_and_legend(fabricated, monkeypatch):
    told = {words: dict(files(speaking(fabricated, words, monkeypatch))) for words in (DONORS, PATIENTS, CHAINS)}
    assert [told[w]["cohort.h5ad"] for w in told] == [
        "samples x genes, labels, covariates",
        "samples x features, labels, covariates",
        "chains, labels",
    ]
    loadings = [told[w]["latents.h5ad"].removeprefix("out-of-fold latents, ") for w in told]
    assert loadings == ["gene loadings", "feature loadings", "letter loadings"]
    named = [told[w]["probing/enrichment.tsv"] for w in told]
    assert named == ["gene sets per dimension", "features per dimension", "properties per dimension"]
    assert [told[w]["splits.tsv"] for w in told] == [f"which {w.units} were held out together" for w in told]
    meanings = {entry["verdict"]: entry["meaning"] for entry in legend(speaking(fabricated, CHAINS, monkeypatch))}
    assert meanings["not_identifiable"].startswith("label and data set (or confounder) go together in this design")
    assert not [text for text in meanings.values() if "{" in text]


def test_arms_and_counts_of_a_task():
    rows = [
        ["multitask", 0.7, 0.6, 0.8],
        ["ridge", 0.9, 0.86, 0.94],
        ["covariates", 0.5, 0.4, 0.6],
        ["a {b}", 0.5, 0.4, 0.6],
    ]
    table = pd.DataFrame([[a, "genes", "auroc", *v, 200, 1] for a, *v in rows], columns=METRICS)
    against = pd.DataFrame({"arm_a": ["multitask"], "arm_b": ["covariates"], "task": "genes", "metric": "auroc"})
    against = against.assign(difference=0.2, ci_low=0.1, ci_high=0.3, call="better")
    for words, unit, features in (
        (DONORS, "donor", "genes"),
        (PATIENTS, "donor", "features"),
        (CHAINS, "chain", "letters"),
    ):
        reading = plain.read_task("genes", "auroc", table, against, words).sentence
        assert reading.startswith(f"genes: AUROC 0.70 (0.60 to 0.80) in 1 held-out {unit}; beats the covariates-only")
        assert reading.endswith(f"the highest score is that of ridge regression on all {features} (0.90).")
        with house_style():
            figure, _, described = performance_figure(table.set_index("arm"), "genes", "auroc", words)
        labels = ["multi-task model", f"ridge, all {features}", "covariates only", "a {b}"]
        assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == labels
        assert f"ridge, all {features} 0.90 (0.86 to 0.94)" in described


def test_gradients_and_fresh_classifiers(fabricated):
    folder = fabricated[1]
    rows = pairs(read_table(folder / "conflict.tsv").assign(task_b="donors", angle=40.0))["conflict_disease_donors"]
    assert sentence(rows.assign(reliable=False), CHAINS).endswith(
        "; the letters they ask for lie 40 degrees apart. Only 90 % of the chains have both labels: this may be noise."
    )
    assert sentence(rows.assign(reliable=True), CHAINS).startswith("disease and donors pulled")
    assert sentence(rows.assign(reliable=True), CHAINS).endswith(", seen on 90 % chains in common.")
    assert "; the features they ask for" in sentence(rows, PATIENTS) and "; the genes they ask for" in sentence(rows)
    read = fresh_readings(read_table(folder / "reprobe.tsv").assign(covariate="donors"), CHAINS)[0]
    assert read.startswith("donors can be read from the dimensions that the tasks trained: ")
    assert "classifier on 160 chains, where chance is 0.5" in read and ". From h_t it can be read (AUROC 0.98" in read


def test_pictures(fabricated, monkeypatch):
    inputs = speaking(fabricated, CHAINS, monkeypatch)
    with house_style():
        figure, _, described = card_figure(inputs, "z01")
        assert figure.axes[0].get_ylabel() == "z01, held-out chains" and described.endswith("disease.")
        assert "over 40 chains" in described
        assert "4 levels of batch, 80 residues; boxes" in card_figure(inputs, "z03")[2]
        columns = ["ci_low", "ci_high", "multitask", "singletask", "gain"]
        columns += [
            f"{c}_{arm}" for arm in ("multitask", "singletask") for c in ("ci_low", "ci_high", "bias", "variance")
        ]
        curve = pd.DataFrame({"task": "genes", "metric": "auroc", "donors": [10, 20], **dict.fromkeys(columns, 0.5)})
        figure, _, described = gain_figure(curve, CHAINS)
    assert figure.axes[0].get_xlabel() == "chains with a label of genes"
    assert described.startswith("genes: gain of AUROC with 10 chains 0.500 (0.500 to 0.500), 20 chains ")
