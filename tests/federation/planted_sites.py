"""Three planted hospitals with three labels each, and their study."""

import numpy as np
import pandas as pd

from mtlbio.federation.keys import rehearsal_key
from mtlbio.federation.rows import Rows
from mtlbio.federation.site import Site
from mtlbio.federation.study import loss_name
from mtlbio.labels.binary import Binary
from mtlbio.labels.regression import Regression
from mtlbio.labels.survival import Survival
from mtlbio.labels.survival.records import Records, records_of

NAMES = ("alpha", "beta", "gamma")
OPTIONS = {
    "study": "planted", "intercept": "site", "trunk": "all", "axes": 4, "folds": 3, "floor": 5, "rare": 10,
    "masks": True, "flips": 0, "levels": {}, "seed": 0, "sparsity": 0.5, "privacy": None, "bounds": {},
}  # fmt: skip


def pooled(n=180, p=6, seed=0, classes=True):
    """Rows of all sites together, shuffled, and the site of each; some donors were sampled twice."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 3, n)
    factor = rng.normal(size=(n, 2))
    x = factor @ rng.normal(size=(2, p)) + rng.normal(size=(n, p)) + 0.5 * place[:, None]
    x[:, -1] = x[:, -1] > 0.8
    x[rng.random(n) < 0.1, 1] = np.nan
    age = rng.normal(50, 10, n)
    sex = np.eye(2)[rng.integers(0, 2, n)]
    eta = 0.8 * factor[:, 0] + 0.7 * (place - 1)
    sick = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    dose = eta + 0.02 * age + rng.normal(size=n)
    time = np.ceil(rng.exponential(np.exp(-0.5 * eta)) * 6)  # ties
    event = rng.random(n) < 0.7
    records = records_of(time, event, np.full(n, -np.inf), np.zeros(n, int))
    death = Records.of(records).place(time, event, np.full(n, -np.inf), np.zeros(n)).astype(float)
    for labels, share in ((sick, 0.1), (dose, 0.2), (death, 0.1)):
        labels[rng.random(n) < share] = np.nan
    kind = Binary("sick", ("no", "yes"))
    text = pd.Series(np.where(sick == 1, "yes", "no"), dtype=object).where(~np.isnan(sick))
    obs = pd.DataFrame({"sick": text, "dose": dose, "death": death, "site": np.array(NAMES)[place]})
    obs["donor"] = [f"d{i:03d}" for i in range(n)]
    obs.index = pd.Index([f"s{i:03d}" for i in range(n)])
    obs["time"], obs["event"] = time, event
    labels = {"sick": kind, "dose": Regression("dose"), "death": Survival("death", records, (5.0,))}
    rows = Rows(tuple(f"x{j}" for j in range(p)), x, np.zeros(p), obs, labels, {"age": age[:, None], "sex": sex})
    return rows, np.array(NAMES)[place]


def study_of(rows, **changed):
    """Options that all agree on."""
    options = OPTIONS | changed
    tasks = {name: loss_name(label) for name, label in sorted(rows.labels.items())}
    return options | {"tasks": tasks, "covariates": {name: c.shape[1] for name, c in sorted(rows.covariates.items())}}


def sites(rows, site, order=NAMES, **changed):
    """The sites, in an order."""
    options = study_of(rows, **changed)
    return [
        Site(name, rows.of(np.flatnonzero(site == name)), options, rehearsal_key("planted", name, 0)) for name in order
    ]
