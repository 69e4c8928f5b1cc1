"""The two benchmarks that compare: same cohorts, same truth, same scorer."""

import numpy as np
import pandas as pd

from benchmarks.calibration.roles import role_of
from benchmarks.calibration.truth import right_verdicts
from benchmarks.other_tools import second_generator, todays_tools


def test_designs_are_cells_of_the_calibration_grid():
    cells = todays_tools.cells()
    assert [c.arm for c in cells] == list(todays_tools.ARMS)
    assert {c.donors for c in cells} == {200}
    assert cells[2].world.nested and not cells[1].world.nested
    assert [bool(c.world.causal) for c in cells] == [True, True, True, False, False, True]


def test_a_tool_is_scored_once_per_reading_on_the_cohort_of_the_grid():
    cell = todays_tools.cells()[3]
    simulation = todays_tools.cohort_of(cell, 1)
    assert simulation.design.interferon_effect == 0 and simulation.design.response == "nothing"
    rows = todays_tools.judge("variancePartition", cell, 1)
    again = todays_tools.judge("variancePartition", cell, 1)
    pd.testing.assert_frame_equal(rows.drop(columns="seconds"), again.drop(columns="seconds"))
    by_reading = rows.groupby("reading")["dim"].apply(list)
    assert len(by_reading) == 4 and all(dims == by_reading.iloc[0] for dims in by_reading)
    own = rows[(rows["role"] == "sex") & (rows["reading"] == "largest share >= .25")]
    assert list(own["verdict"]) == ["confounder"] and own["right"].all()
    assert not rows["false_biology"].any()


def test_the_summary_counts_what_the_scorer_says():
    rows = pd.DataFrame(
        [
            ("c", 0.5, 0, "interferon", "biology", "biology", True, False, 2.0),
            ("c", 0.5, 0, "age", "biology", "confounder", False, True, 2.0),
            ("c", 0.5, 1, "batch", "technical", "technical", True, False, 4.0),
            ("n", 1.0, 0, "interferon+noise", "not_identifiable", "not_identifiable", True, False, 2.0),
            ("n", 1.0, 0, "interferon", "biology", "not_identifiable", False, True, 2.0),
        ],
        columns=["cell", "separation", "run", "role", "verdict", "wanted", "right", "false_biology", "seconds"],
    )
    told = todays_tools.summary(rows, {"c"})
    assert told["cohorts"] == "3" and told["any false biology"].startswith("0.67")
    assert told["biology that is false"] == "2/3" and told["biology found"] == "0.50"
    assert told["not identifiable"] == "0.50"
    assert (told["age"], told["interferon"], told["batch"], told["noise"]) == ("0.00", "0.50", "1.00", "-")
    assert told["CPU seconds"] == "2.7"
    # biology 2/4 of F1, confounder 0, technical 1, not_identifiable 2/3
    assert told["macro-F1"] == f"{(0.5 + 0 + 1 + 2 / 3) / 4:.2f}"


def test_shares_are_those_of_the_planted_parts():
    rng = np.random.default_rng([8])
    n = 4000
    age, activity, batch = rng.standard_normal(n), rng.standard_normal(n), rng.integers(0, 3, n)
    columns = {
        "age": np.column_stack([age, age**2]),
        "interferon": np.column_stack([activity, activity**2]),
        "batch": (batch[:, None] == [1, 2]).astype(float),
    }
    level = np.array([-1.0, 0.2, 0.8])[batch]
    z = np.column_stack(
        [age + 0.1 * rng.standard_normal(n), activity**2, level + 0.3 * activity, rng.standard_normal(n)]
    )
    shares = second_generator.carried(z, columns)
    assert [role_of(row) for row in shares.to_dict("records")] == ["age", "interferon", "batch", "noise"]
    np.testing.assert_allclose(shares["age"][0], 1 / 1.01, atol=0.01)
    np.testing.assert_allclose(shares["batch"][2], level.var() / (level.var() + 0.09), atol=0.02)


def test_no_biology_is_right_where_the_effect_is_zeroed():
    for cell in second_generator.cells():
        allowed = "biology" in right_verdicts("interferon", cell.world)
        assert allowed == (cell.arm != "effect zeroed")
        assert right_verdicts("noise", cell.world) == {"unused"}
