from benchmarks.calibration.cells import BASE, Cell
from benchmarks.calibration.one_outcome import DESIGNS, documented, drivers, judged


def test_biology_of_an_outcome_is_right_where_that_outcome_is_driven():
    one = Cell("x", 80, {**BASE, **DESIGNS["one of two outcomes"]})
    assert drivers(one) == {"disease": frozenset({"interferon"}), "response": frozenset()}
    rows = judged(("one of two outcomes", 200, 0)).set_index(["role", "outcome"])
    interferon = rows.loc["interferon"]
    assert interferon.loc["disease", ["biology", "false", "there"]].tolist() == [True, False, True]
    response = interferon.loc["response"]
    assert not response["there"] and response["false"] == response["biology"]
    assert not rows.xs("all", level="outcome")["there"].any()
    text = documented(rows.reset_index())
    assert (
        len(text) == 4 and text[-1].startswith("| all | 1 |") and text[-1].endswith("| 100.0 % (20.7-100.0, n = 1) |")
    )
