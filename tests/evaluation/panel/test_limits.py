"""Sizes, prices, and what is refused."""

import numpy as np
import pytest

from mtlbio.errors import InputError
from mtlbio.evaluation.panel.limits import SIZES, limits_of, most_of, panel_of, read_prices, sizes_of

PRICES = np.array([1.0, 2.0, 4.0, 0.5])


def test_sizes_end_before_all_features_and_prices_before_that_of_all():
    assert limits_of(None, 40, None) == (3, 6, 12, 24) and limits_of(None, 10**6, None) == SIZES
    assert limits_of((5, 2, 5), 40, None) == (2, 5)
    assert limits_of(None, 4, PRICES) == (0.75, 1.5, 3.75) and limits_of((0.5, 7), 4, PRICES) == (0.5, 7)


@pytest.mark.parametrize(
    ("asked", "prices", "words"),
    [
        ((6, 40), None, "found 40; expected whole numbers from 1 to 39, of 40 features"),
        ((2.5,), None, "found 2.5; expected whole numbers"),
        ((0.2, 3), PRICES, r"found 0.2; with prices expected sums from that of the cheapest feature \(0.5\)"),
        ((7.5,), PRICES, r"to below that of all \(7.5\)"),
    ],
)
def test_other_sizes_are_refused_in_one_line(asked, prices, words):
    with pytest.raises(InputError, match=f"--sizes: .*{words}"):
        limits_of(asked, 40, prices)


@pytest.mark.parametrize("typed", ["six", "", "6,,12", "-3", "0", "inf"])
def test_what_is_no_size_is_refused(typed):
    with pytest.raises(InputError, match="--sizes: found .*expected numbers above 0"):
        sizes_of(typed)


def test_a_panel_never_costs_more_than_its_limit():
    order = np.array([2, 1, 0, 3])
    for limit in (0.5, 1, 2.5, 3.5, 6, 7):
        inside = panel_of(order, limit, PRICES)
        assert len(inside) and PRICES[inside].sum() <= limit
        left = [j for j in order if j not in inside]
        assert all(PRICES[inside].sum() + PRICES[j] > limit for j in left)
        assert len(inside) <= most_of([limit], PRICES)


def test_prices_are_read_by_name_and_every_fault_is_one_line(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("price,feature\n2,b\n1.5,a\n9,unknown\n")
    assert read_prices(path, ["a", "b"], "proteins").tolist() == [1.5, 2.0]
    for text, words in (
        ("feature,cost\na,1\n", "column price missing; found feature, cost"),
        ("feature,price\na,1\na,2\nb,1\n", "'a' stands twice"),
        ("feature,price\na,1\n", "no price of b; expected one of each of the 2 proteins"),
        ("feature,price\na,1\nb,dear\n", "column price: expected numbers from 0 on"),
        ("feature,price\na,1\nb,-1\n", "column price: expected numbers from 0 on"),
        ("feature,price\na,0\nb,0\n", "one above 0 at least"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=words):
            read_prices(path, ["a", "b"], "proteins")
