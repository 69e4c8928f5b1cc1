"""What a card or a row holds, and by what a search finds it."""

import json
from dataclasses import replace

import pytest
from fabricate import SET, fabricate

from mtlbio.report.entries import SEARCHED_GENES, entry, measured, parted, tile
from mtlbio.report.inputs import read_inputs


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("entries")
    return read_inputs(fabricate(folder, donors=40, hostile=True), folder)


def test_a_search_finds_names_as_written_and_as_shown(inputs):
    names = entry(inputs, "z02", {})["names"]
    assert names[:2] == [SET, "HALLMARK_APOPTOSIS"]
    assert {"Interferon alpha response (Hallmark)", "Apoptosis (Hallmark)"} <= set(names)


def test_it_finds_the_hundred_genes_with_the_largest_loadings(inputs):
    genes = entry(inputs, "z02", {})["genes"]
    assert len(genes) == SEARCHED_GENES == 100
    assert [gene["gene"] for gene in genes[:3]] == ["IFI44L", "ISG15", "MX1"] and all(g["up"] for g in genes[:6])
    without = replace(inputs, loadings=None)
    assert entry(without, "z02", {})["genes"] == [] and measured(without) == ""


def test_names_of_all_genes_travel_as_data_that_no_markup_leaves(inputs):
    text = measured(inputs)
    assert "<" not in text
    assert set(json.loads(text).split()) >= {"GENE199", "IFI44L", "RSAD2<script>alert('x')</script>"}


def test_a_sentence_is_parted_after_the_claim(inputs):
    assert parted("z01 follows age: 0.5 of it. Its link is a trace. It is.") == (
        "z01 follows age: 0.5 of it.",
        "Its link is a trace. It is.",
    )
    assert parted("One sentence only.") == ("One sentence only.", "") and parted("") == ("", "")


def test_raw_names_in_the_why_are_spoken_and_markup_is_text(inputs):
    verdicts = inputs.verdicts.assign(why=f"z02 ({SET}) rises <b>. More.")
    told = entry(replace(inputs, verdicts=verdicts), "z02", {})
    assert told["why"] == f'z02 (<span title="{SET}">Interferon alpha response (Hallmark)</span>) rises &lt;b&gt;.'
    assert told["further"] == "More."


def test_rows_say_their_numbers_and_tiles_where_they_lead(inputs):
    verdicts = inputs.verdicts.assign(donors_needed=1234.0)
    told = entry(replace(inputs, verdicts=verdicts), "z07", {})
    assert told["needed"] == "1,234 donors would settle it" and told["picture"] is None
    assert entry(inputs, "z07", {})["needed"] == "" and told["claim"].startswith(("disease ", "response "))
    renamed = replace(inputs, verdicts=inputs.verdicts.rename(index={"z02": "PC <1>"}))
    assert tile(renamed, "PC <1>")["slug"] == "PC__1_"
