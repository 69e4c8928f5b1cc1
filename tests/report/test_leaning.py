import pandas as pd
import pytest

from mtlbio.probing.columns import ODDS
from mtlbio.report.choice import choose
from mtlbio.report.heatmap import in_order
from mtlbio.report.leaning import by_odds, leaning, odds


def row(biology, none, verdict="underpowered", mixed=0.0):
    rest = 1 - biology - none - mixed
    values = {"biology": biology, "confounder": rest, "technical": 0.0, "mixed": mixed, "none": none}
    return pd.Series({"verdict": verdict, "driver": None} | {ODDS[role]: value for role, value in values.items()})


def test_the_likeliest_role_is_said_with_the_others():
    such = "of planted dimensions with such evidence,"
    sentence = f"Leans to biology: {such} 62 % were biology, 30 % nothing and 6 % mixed."
    assert leaning(row(0.62, 0.30, mixed=0.06)) == sentence
    assert leaning(row(0.01, 0.98)) == f"Leans to nothing: {such} 98 % were nothing."
    nowhere = f"Leans nowhere, most to nothing: {such} 45 % were nothing, 40 % biology and 15 % confounder."
    assert leaning(row(0.4, 0.45)) == nowhere


@pytest.mark.parametrize("verdict", ["biology", "technical", "not_identifiable", "unused"])
def test_a_verdict_leans_nowhere(verdict):
    assert leaning(row(0.9, 0.1, verdict)) is None


def test_a_table_without_odds():
    bare = pd.Series({"verdict": "underpowered", "driver": None, "effect_disease": 0.4})
    assert odds(bare) == {} and leaning(bare) is None
    assert (by_odds(pd.DataFrame([bare, bare])) == 0).all()


def test_undecided_dimensions_come_in_the_order_of_their_odds():
    rows = {"z01": row(0.1, 0.9), "z02": row(0.7, 0.3), "z03": row(0.9, 0.1, "unused"), "z04": row(0.4, 0.6)}
    table = pd.DataFrame(rows).T
    assert list(in_order(table).index) == ["z02", "z04", "z01", "z03"]
    assert choose(table, 3) == ["z02", "z04", "z01"]


def test_an_axis_of_a_plane_and_one_without_odds_lean_nowhere_and_come_last():
    plane = row(0.97, 0.03)
    plane["subspace"] = "z01+z09"
    lost = row(0.97, 0.03)
    lost[list(ODDS.values())] = float("nan")
    assert leaning(plane) is leaning(lost) is None and odds(plane) == odds(lost) == {}
    rows = {"z01": plane, "z02": lost, "z03": row(0.1, 0.9), "z04": row(0.7, 0.3)}
    table = pd.DataFrame(rows).T
    assert list(in_order(table).index) == ["z04", "z03", "z01", "z02"]
    # on the cards the larger effect comes first among them
    table["effect_disease"] = [0.2, 1.5, 3.0, 0.1]
    assert choose(table, 4) == ["z04", "z03", "z02", "z01"]
