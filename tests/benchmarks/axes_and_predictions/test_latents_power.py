"""One planted programme through several models: the dimension that follows it, and how often it is biology."""

import numpy as np
import pandas as pd

from benchmarks.axes_and_predictions.latents_power import AXES, DESIGN, documented, of_components
from mtlbio.cohort.simulate import simulate


def test_a_component_follows_the_planted_interferon():
    planted = simulate("clear", 5001, batch_disease=0.5, **DESIGN)
    latents, verdicts = of_components(planted)
    assert latents.shape == (DESIGN["donors"], AXES) and len(verdicts) == AXES
    follows = np.abs(np.corrcoef(latents, planted.truth["interferon"], rowvar=False)[-1, :-1])
    assert follows.max() > 0.9 and np.sort(follows)[-2] < 0.4


def test_the_table_has_a_line_per_model_and_separation():
    cases = [
        ("PCA + varimax", "biology"),
        ("PCA + varimax", "underpowered"),
        ("MOFA2", "biology"),
        ("MOFA2", "biology"),
    ]
    rows = pd.DataFrame(cases, columns=["model", "verdict"]).assign(separation=0.5, follows=[0.9, 0.98, 0.97, 0.95])
    rows["seed"] = [0, 1, 0, 1]
    lines = documented(rows).splitlines()
    assert lines[2] == "| 0.5 | PCA + varimax | 2 | 50 (9-91) | 0.94 |"
    assert lines[3] == "| 0.5 | MOFA2 | 2 | 100 (34-100) | 0.96 |" and len(lines) == 6
    assert lines[5] == "All verdicts of a cohort were the same in 1 of 2."
