"""How often is a verdict on a time to an event wrong, and how often is a dimension found that tells of one?

    python benchmarks/calibration/times.py [--runs 40] [--events 30 50 100] [--workers 1] [--ship]

Axes are given. Ten of them: interferon, and nine that hold 4-20 % of what age does to the hazard, or of the batch, and
drive nothing. 2.5 donors (10 in two designs) are followed per event until so many events were seen; a quarter of them
would be lost at a random time before half of all have died. The hazard goes with age (as a straight line, as a U, as a
step), with the batch only, with nothing, or with interferon at a log hazard ratio of .6 per standard deviation. Prints,
per design, the share of cohorts with any false biology and, where interferon drives the hazard, of those in which it is
biology, and of those in which its p, and that of a Cox model of interferon alone, pass the level that one of ten
dimensions needs. Losses of predictions are not asked: biology does not depend on them. The last design is the same
trial with age as a straight line. ``--ship`` puts the table into docs/survival_trial.md, and how often a biology was
wrong, whatever the design but the last, into the rates that ship with the package.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.calibration.pages import DOCS, between, rate
from benchmarks.calibration.planted import COVARIATES
from benchmarks.calibration.shipping import write_rates
from benchmarks.shared.places import RESULTS
from mtlbio.config import Probe
from mtlbio.labels import Survival
from mtlbio.labels.cox import fit_cox
from mtlbio.labels.survival.records import records_of
from mtlbio.probing.association import association
from mtlbio.probing.audit import audited
from mtlbio.probing.collect_evidence import collect_evidence
from mtlbio.probing.leakage import leakage
from mtlbio.probing.linked import with_links
from mtlbio.probing.rates import ALPHA, ANY_FALSE, FOUND, wilson
from mtlbio.probing.rates import COLUMNS as RATES
from mtlbio.probing.stability import stability
from mtlbio.probing.trial import Trial
from mtlbio.probing.verdict import judge
from mtlbio.progress import console, track
from mtlbio.tables import write_table

AXES, BATCHES, LOST = 10, 4, 0.25
TASK = "survival"
COLUMNS = ["hazard", "events", "run", "found", "biologies", "wrong", "p", "plain"]
STRAIGHT = "age, a U, held fixed as a straight line"  # not what the package does
ONE_OF_TEN = 0.05 / AXES  # what the first of ten dimensions has to pass


@dataclass(frozen=True)
class Hazard:
    """What a hazard goes with: ``age`` is ``straight``, ``u``, ``step`` or empty; log hazard ratios per standard
    deviation of what age does, of the batch and of interferon; ``spline_df`` of the trial; donors per event."""

    age: str = ""
    by_age: float = 0.0
    by_batch: float = 0.0
    by_interferon: float = 0.0
    spline_df: int = 4
    per_event: float = 2.5


HAZARDS = {
    "age, straight": Hazard("straight", 1.5),
    "age, a U": Hazard("u", 1.5),
    "age, a step": Hazard("step", 1.5),
    "the batch only": Hazard(by_batch=1.0),
    "nothing": Hazard(),
    "interferon": Hazard(by_interferon=0.6),
    "interferon and age": Hazard("straight", 0.8, by_interferon=0.6),
    "interferon, age as a U, and the batch": Hazard("u", 0.8, 0.5, 0.6),
    "age, a U; 10 donors per event": Hazard("u", 1.5, per_event=10),
    "interferon; 10 donors per event": Hazard(by_interferon=0.6, per_event=10),
    STRAIGHT: Hazard("u", 1.5, spline_df=1),
}


class Followed(Trial):
    """Donors who were measured once: how reliable a covariate has to be is not asked, and changes words alone."""

    visits = False


def plant(hazard: Hazard, events: int, run: int) -> Trial:
    """A cohort with so many events (or all that there are) as a trial whose axes are given; the first is interferon."""
    rng = np.random.default_rng([run, events, 31])
    n = round(hazard.per_event * events)
    age, batch = rng.uniform(20, 80, n), rng.integers(0, BATCHES, n)
    aged, level = (age - 50) / 17.3, _unit(np.linspace(-1, 1, BATCHES)[batch])
    shapes = {"straight": aged, "u": np.square(aged) - 1, "step": np.where(aged > 0.5, 1.5, -0.75)}
    acts = _unit(shapes[hazard.age or "straight"])
    z = rng.normal(size=(n, AXES))
    z[:, 1:] = _holding(z[:, 1:], level if hazard.by_batch and not hazard.age else acts, rng)
    log_hazard = hazard.by_age * acts + hazard.by_batch * level + hazard.by_interferon * z[:, 0]
    time, event = follow(log_hazard, events, rng)
    obs = pd.DataFrame(
        {
            "donor": [f"d{i:04d}" for i in range(n)],
            "age": age,
            "sex": np.array(["f", "m"])[rng.integers(0, 2, n)],
            "batch": [f"B{b}" for b in batch],
        },
        index=[f"s{i:04d}" for i in range(n)],
    )
    nobody = np.full(n, -np.inf)
    label = Survival(TASK, records_of(time, event, nobody, np.zeros(n, dtype=int)), (float(np.median(time)),))
    obs[TASK] = label.table.place(time, event, nobody, np.zeros(n, dtype=int))
    options = Probe(permutations=199, bootstrap=200, spline_df=hazard.spline_df)
    dims = tuple(f"z{d + 1:02d}" for d in range(AXES))
    trial = Followed(z, dims, np.array(["axis"] * AXES), obs, {TASK: label}, dict(COVARIATES), options)
    return audited(trial)[0]


def follow(log_hazard: np.ndarray, events: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Times and whether they end with the event (n,): some are lost at random, and the study ends with an event."""
    n = len(log_hazard)
    dies = rng.exponential(1 / np.exp(log_hazard))
    lost = np.where(rng.random(n) < LOST, rng.uniform(0, np.median(dies), n), np.inf)
    seen = np.sort(dies[dies <= lost])
    end = seen[min(events, len(seen)) - 1]
    time = np.minimum(np.minimum(dies, lost), end)
    return time, dies <= np.minimum(lost, end)


def judged(job: tuple[str, int, int]) -> tuple[str, int, int, bool, int, int, float, float]:
    """Design, events, run; whether interferon is rightly biology, how many dimensions are biology and how many of them
    drive nothing; the p of interferon in the trial, and that of a Cox model of interferon alone."""
    name, events, run = job
    console.quiet = True
    hazard = HAZARDS[name]
    trial = plant(hazard, events, run)
    effects = with_links(trial, association(trial))
    steady = stability(trial, np.full(AXES, 0.95))
    nothing = pd.DataFrame()
    found = collect_evidence(trial, effects, leakage(trial, effects), nothing, steady, nothing, nothing, {})
    biology = np.array([judge(item, trial.options).verdict == "biology" for item in found])
    false = biology if not hazard.by_interferon else biology[1:]
    its = effects[(effects["question"] == "task") & (effects["dim"] == trial.dims[0])]
    alone = fit_cox(trial.z[:, :1], *trial.tasks[TASK].times(trial.labels(TASK)))
    plain = 2 * stats.norm.sf(abs(alone.coefficients[0] / alone.se[0]))
    right = bool(biology[0] and hazard.by_interferon)
    return name, events, run, right, int(biology.sum()), int(false.sum()), float(its["p"].iloc[0]), float(plain)


def documented(rows: pd.DataFrame) -> list[str]:
    """The table of docs/survival_trial.md: a design per line."""
    head = ["the hazard goes with", "events", "cohorts", "any false biology", "interferon is biology"]
    head += [f"its p <= {ONE_OF_TEN:g}", f"p of Cox alone <= {ONE_OF_TEN:g}"]
    out = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for (name, events), its in rows.groupby(["hazard", "events"], sort=False):
        counted = [its["found"], its["p"] <= ONE_OF_TEN, its["plain"] <= ONE_OF_TEN]
        found = [rate(column) for column in counted] if HAZARDS[str(name)].by_interferon else [""] * len(counted)
        out.append(f"| {name} | {events} | {len(its)} | {rate(its['wrong'] > 0)} | {' | '.join(found)} |")
    return out


def rates(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How often a biology was wrong, and what was found, by events: of all designs that the package would try so."""
    errors, found = [], []
    for events, own in rows[rows["hazard"] != STRAIGHT].groupby("events"):
        place = ("times", int(str(events)), 0.5)
        drives = own["hazard"].map(lambda name: HAZARDS[name].by_interferon > 0)
        n, wrong = int(own["biologies"].sum()), int(own["wrong"].sum())
        errors.append(("times", ALPHA, *place[1:], "biology", n, wrong, *wilson(wrong, n)))
        for what, hits in (("interferon", own.loc[drives, "found"]), (ANY_FALSE, own["wrong"] > 0)):
            found.append((*place, what, len(hits), int(hits.sum()), *wilson(int(hits.sum()), len(hits))))
    return pd.DataFrame(errors, columns=RATES), pd.DataFrame(found, columns=FOUND)


def _unit(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def _holding(z: np.ndarray, acts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Axes (n, k) of which 4-20 % each is what acts (n,) on the hazard, with either sign."""
    share = np.square(rng.uniform(0.2, 0.45, z.shape[1]))
    sign = rng.choice([-1.0, 1.0], z.shape[1])
    return np.sqrt(1 - share) * z + np.sqrt(share) * sign * acts[:, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--start", type=int, default=0, help="first run, to add to what is there")
    parser.add_argument("--events", type=int, nargs="+", default=[30, 50, 100])
    parser.add_argument("--only", nargs="+", default=list(HAZARDS), choices=list(HAZARDS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--ship", action="store_true", help="into docs/survival_trial.md and the shipped rates")
    given = parser.parse_args()
    runs = range(given.start, given.start + given.runs)
    jobs = [(name, events, run) for run in runs for events in given.events for name in given.only]
    with ProcessPoolExecutor(given.workers) as pool:
        rows = list(track(pool.map(judged, jobs, chunksize=4), "cohorts", len(jobs)))
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_table(table, RESULTS / "times.tsv")
    text = "\n".join(documented(table.sort_values("events", kind="stable")))
    if given.ship:
        write_rates(*rates(table))
        between(DOCS / "survival_trial.md", text, "<!-- times -->")
    print(text)


if __name__ == "__main__":
    main()
