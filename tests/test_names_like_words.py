"""A protein run whose labels are called batch, donors and genes: in tables and on the page names stay what they are."""

from __future__ import annotations

import importlib
import re

import pytest
import yaml
from test_protein import SMALL

from mtlbio.kinds import kind_of
from mtlbio.kinds.read import read_run
from mtlbio.sequence.simulate import simulate_chains, write_simulation
from mtlbio.tables import read_table

# names that no text of the package holds, and names that are words of its texts
PLAIN, WORDS = ("qqa", "qqb", "qqc"), ("batch", "donors", "genes")
TEXTS = {
    "verdicts": ("why", "needed_for", "driver", "about"),
    "transfer": ("why",),
    "probing/audit": ("why",),
    "reprobe": ("why",),
    "label_noise": ("why",),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Results of two runs that differ in nothing but the names of their labels: plain ones, and words."""
    found = []
    for names in (PLAIN, WORDS):
        folder = tmp_path_factory.mktemp(names[0])
        path = write_simulation(folder, simulate_chains(60, seed=1, length=(30, 60)))
        content = yaml.safe_load(path.read_text())
        labels = [*content["tasks"].values(), {"kind": "binary", "column": "site"}]
        content["tasks"] = dict(zip(names, labels, strict=True))
        path.write_text(yaml.safe_dump(content | SMALL, sort_keys=False))
        run, results = read_run(path), folder / "results"
        for step in ("prepare", "train", "baselines", "evaluate", "probe", "report"):
            module, _, name = kind_of(run).steps[step].partition(":")
            getattr(importlib.import_module(module), name)(run, results)
        found.append(results)
    return found


def renamed(text: str) -> str:
    """A text on the plain names with the words in their places."""
    for plain, word in zip(PLAIN, WORDS, strict=True):
        text = text.replace(plain, word)
    return text


@pytest.mark.parametrize("name", TEXTS)
def test_sentences_of_tables_keep_the_names(runs, name):
    plain, word = (read_table(results / f"{name}.tsv") for results in runs)
    for column in TEXTS[name]:
        assert word[column].fillna("").tolist() == [renamed(value) for value in plain[column].fillna("")]
    # no dimension follows the third label, and reprobe.tsv is about the data set of a chain
    expected = {"verdicts": {"batch", "donors"}, "reprobe": set()}.get(name, set(WORDS))
    assert set(re.findall(r"\b(batch|donors|genes)\b", " ".join(word["why"]))) == expected


def test_the_page_keeps_the_names(runs):
    plain, word = (re.sub(r"<svg.*?</svg>", "", (r / "report.html").read_text(), flags=re.S) for r in runs)
    assert word == renamed(plain)
    for label in WORDS:
        assert f'<h3>{label} <span class="level' in word and f"<b>{label} × position</b>" in word
    assert "labelled chains" in word and "Can the data set still be read?" in word


def test_figures_keep_the_names(runs):
    figures = {path.stem: path.read_text() for path in (runs[1] / "figures").glob("*.svg")}
    for label in WORDS:
        assert f">{label}</text>" in figures["shares"]
        assert f">loss, {label}</text>" in figures[f"training_{label}"]
    assert any(">genes: 0</text>" in text for stem, text in figures.items() if stem.startswith("card_"))
    assert not [text for text in figures.values() if "held-out donors" in text]
