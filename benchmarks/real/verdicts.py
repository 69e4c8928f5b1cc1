"""Verdicts on real cohorts against what is known of them.

    python benchmarks/real/verdicts.py DATA [--only lupus halves kang methylation gaps others] [--splits 2] [--again]

- lupus: `technical` dimensions do not repeat in two arrays of one draw, `biology` does, and keeps its sign and effect
  in each batch alone, with the same axes and with axes found in that batch alone; what the model ascribes to the batch
  shows in draws that were hybridised in both batches;
- halves: the whole pipeline on two random halves of the lupus donors; the same axes should get the same verdicts;
- kang: eight donors with and without interferon beta; the interferon axis is biology, and what eight donors cannot
  settle is said to be underpowered;
- methylation: the audit reports that chips hold only cases or only controls, the dimension that follows age is a
  confounder, and disease is predicted with whole chips held out;
- gaps: age forgotten for three donors in ten, at random, in three cohorts; no share of age moves by more than .1, and
  nothing becomes biology that was none;
- others: how often each verdict occurs in the two proteomes.

DATA holds the cohorts as in ``cohorts.py``. Finished runs of whole cohorts in ``--finished`` are used as they
are. Training is kept below results/benchmarks/verdicts_real/, so a killed run goes on where it stopped; judging is
repeated when a rule has changed. All of it from nothing: about an hour on one core.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.real import lupus
from benchmarks.real.runs import Judged, described, examined, held_out_score, judged, of_folder, prepared
from benchmarks.shared.places import RESULTS
from mtlbio.config import Splits
from mtlbio.progress import show_progress

Check = tuple[str, str, str, bool]
PARTS = ("lupus", "halves", "kang", "methylation", "gaps", "others")
FORGOTTEN = 0.3  # of the donors, in ``gaps``


class Bench:
    """Where the cohorts are, and what was found so far."""

    def __init__(self, options: argparse.Namespace):
        self.options, self.folder = options, options.results
        self.checks: list[Check] = []

    def check(self, name: str, found: str, bar: str, holds: bool) -> None:
        """Note a check."""
        self.checks.append((name, found, bar, bool(holds)))

    def whole(self, name: str) -> tuple[Judged, object]:
        """The trial of a whole cohort, of a finished run where there is one."""
        run = described(name, self.options.data, self.folder)
        finished = self.options.finished / name
        if (finished / "latents.h5ad").exists() and not self.options.again:
            return of_folder(run, finished, self.folder / name), run
        return judged(prepared(run, self.folder / name), run, self.folder / name, self.options.again), run


def show(title: str, table: pd.DataFrame) -> None:
    """A table on the screen."""
    print(f"\n{title}\n{table.to_string(float_format=lambda v: f'{v:.3g}')}", flush=True)


def lupus_checks(bench: Bench) -> None:
    """Replicates and batches."""
    run, options = bench.whole("sle")
    table = lupus.repeated(run, options).join(lupus.replicates(run, bench.options.data)).join(run.verdicts["block"])
    show("lupus: disease effect (SD) in all samples and in each batch; replicates", table)
    by_verdict = {v: table[table["verdict"] == v] for v in ("technical", "biology")}
    for verdict, sign in (("technical", -1), ("biology", 1)):
        values = by_verdict[verdict]["r_replicates"]
        shown = ", ".join(f"{dim} {value:.2f}" for dim, value in values.items())
        holds = len(values) > 0 and (sign * (values - lupus.REPEATS) > 0).all()
        bar = f"{'<' if sign < 0 else '>'} {lupus.REPEATS}"
        bench.check(f"lupus, r of replicates, {verdict}", shown or "none", bar, holds)
    offsets = run.verdicts[["verdict", "share_batch"]].join(lupus.paired_offset(run, bench.options.data))
    show("lupus: what the batch does, by the model and by draws hybridised in both batches", offsets)
    claimed = offsets[offsets["share_batch"] >= options.probe.share_technical]
    found = ", ".join(f"{row.Index} {row.share_batch:.2f}/{row.share_pairs:.2f}" for row in claimed.itertuples())
    near = (claimed["share_batch"] - claimed["share_pairs"]).abs() < 0.2
    bench.check("lupus, batch share by the model / by pairs", found or "none", "within .2", near.all())
    low, high = by_verdict["biology"]["repeatability"].min(), by_verdict["technical"]["repeatability"].max()
    found = f"least of biology {low:.2f}, most of technical {high:.2f}"
    bench.check("lupus, biology repeats better than technical", found, "all", low > high)
    biology = table[table["verdict"] == "biology"]
    same = np.sign(biology[["effect_B1", "effect_B2"]]).eq(np.sign(biology["effect_all"]), axis=0).all(axis=1)
    shown = ", ".join(f"{d} {row.effect_B1:+.2f}/{row.effect_B2:+.2f}" for d, row in biology.iterrows())
    bench.check("lupus, biology keeps its sign in batch 1 / 2", shown, "all", len(biology) and same.all())
    inside = (biology["low_B1"] <= biology["high_B2"]) & (biology["low_B2"] <= biology["high_B1"])
    clear = (biology[["p_B1", "p_B2"]] <= 0.05).all(axis=1)
    found = f"{inside.sum()} overlap, {clear.sum()} with p <= .05 in both, of {len(biology)}"
    bench.check("lupus, biology keeps its effect", found, "intervals overlap", len(biology) and inside.all())
    cohort = run.cohort
    for level, alone in lupus.batches(cohort, options, bench.folder, bench.options.again).items():
        pairs = lupus.matched(run, alone)
        show(
            f"lupus, {level} alone ({len(set(alone.cohort.donors))} donors): axes by loadings",
            pairs.drop(columns=["why", "why_partner"]),
        )
        ours = pairs[pairs["verdict"].isin(["biology", "technical"])]
        kept = ours[(ours["r"] >= lupus.MATCHED)]
        same = (kept["verdict"] == kept["verdict_partner"]).sum()
        lost = kept[kept["verdict"] != kept["verdict_partner"]]
        found = f"{same} of {len(kept)} found again; " + ", ".join(
            f"{r.dim} {r.verdict} -> {r.verdict_partner}" for r in lost.itertuples()
        )
        bench.check(f"lupus, biology and technical axes in {level} alone", found, "reported", True)


def halves_checks(bench: Bench) -> None:
    """Two random halves of the donors."""
    run = described("sle", bench.options.data, bench.folder)
    cohort = prepared(run, bench.folder / "sle_whole")
    tables, counts = [], []
    for seed, one, other in lupus.halves(cohort, run, bench.folder, bench.options.again, bench.options.splits):
        table = lupus.matched(one, other)
        tables.append(table)
        counts.append(lupus.agreement(table))
        apart = table[(table["r"] >= lupus.MATCHED) & (table["verdict"] != table["verdict_partner"])]
        show(f"halves, split {seed}: {counts[-1]}; the pairs that differ", apart.drop(columns=["why", "why_partner"]))
        for row in apart.itertuples():
            print(f"  {row.dim}: {row.why}\n  {row.partner}: {row.why_partner}")
    show("halves: verdicts of matched axes, all splits", lupus.confusion(tables))
    total = pd.DataFrame(counts).sum()
    for name, agree, of in (
        ("same verdict", "agree", "matched"),
        ("same verdict where neither is underpowered", "agree_powered", "powered"),
        ("same verdict, unused and underpowered as one", "agree_merged", "matched"),
    ):
        share = total[agree] / max(total[of], 1)
        bench.check(f"halves, {name}", f"{total[agree]} of {total[of]} = {share:.0%}", ">= 80 %", share >= 0.8)
    bench.check(
        "halves, biology / technical / confounder contradicted",
        str(total["contradicted"]),
        "0",
        not total["contradicted"],
    )


def kang_checks(bench: Bench) -> None:
    """Eight donors, with and without interferon beta."""
    run, _ = bench.whole("kang_ifnb")
    cells = pd.read_csv(bench.options.data / "kang_ifnb" / "metadata.csv")
    reference = cells.groupby(cells["donor_id"] + "|" + cells["condition"])["ifn_score_reference"].mean()
    r = run.z.corrwith(reference.reindex(run.z.index)).abs()
    verdicts = run.verdicts.assign(r_interferon=r)
    show(
        "kang",
        verdicts[["block", "verdict", "driver", "stability", "r_interferon", "effect_condition", "q_condition", "why"]],
    )
    best = verdicts.loc[verdicts.loc[verdicts["block"] == "axis", "r_interferon"].idxmax()]
    found = f"{best.name}: {best['verdict']}, {best['driver']}, r {best['r_interferon']:.2f}"
    bench.check(
        "kang, interferon axis",
        found,
        "biology, interferon set",
        best["verdict"] == "biology" and "INTERFERON" in str(best["driver"]),
    )
    weak = verdicts[verdicts["verdict"] == "underpowered"]
    needed = weak["donors_needed"].dropna() if "donors_needed" in weak else pd.Series(dtype=float)
    found = f"{len(weak)} of {len(verdicts)} underpowered; donors needed {', '.join(f'{v:.0f}' for v in needed)}"
    bench.check("kang, says what eight donors cannot settle", found, "at least one", len(weak) > 0)


def methylation_checks(bench: Bench) -> None:
    """Chips of one diagnosis, an age axis, and disease on chips never seen."""
    run, options = bench.whole("ra_methylation")
    audit = run.tables["audit"]
    row = audit[(audit["task"] == "disease") & (audit["covariate"] == "array_chip")].iloc[0]
    show(
        "methylation, audit",
        audit[["task", "covariate", "association", "value", "vif", "discordant", "overlap", "call"]],
    )
    print(row["why"])
    bench.check(
        "methylation, audit of disease and chip",
        f"{row['call']}, V {row['value']:.2f}, VIF {row['vif']:.2f}",
        "not ok",
        row["call"] != "ok",
    )
    shares = [c for c in run.verdicts if c.startswith("share_")]
    show(
        "methylation, verdicts",
        run.verdicts[["block", "verdict", "driver", "stability", *shares, "effect_disease", "q_disease"]],
    )
    oldest = run.verdicts.loc[run.verdicts["share_age"].idxmax()]
    found = f"{oldest.name}: {oldest['verdict']}, age share {oldest['share_age']:.2f}"
    bench.check("methylation, age dimension", found, "confounder", oldest["verdict"] == "confounder")
    folder = bench.folder / "ra_methylation_chips"
    chips = Splits(kind="leave_out", by="array_chip", folds=10)
    apart = judged(run.cohort, options, folder, bench.options.again, chips)
    finished = bench.options.finished / "ra_methylation"
    source = (
        finished
        if (finished / "predictions.tsv").exists() and not bench.options.again
        else bench.folder / "ra_methylation"
    )
    donors, whole = held_out_score(source, run, "disease"), held_out_score(folder, apart, "disease")
    found = f"{whole:.3f} (donors held out {donors:.3f})"
    bench.check("methylation, AUROC of disease, chips held out", found, ">= .68 (logistic .72)", whole >= 0.68)


def gaps_checks(bench: Bench) -> None:
    """Age unknown for some donors at random."""
    for name in ("ra_methylation", "covid_proteome", "sle"):
        run, options = bench.whole(name)
        finished = bench.options.finished / name
        kept = (finished / "latents.h5ad").exists() and not bench.options.again
        donors = np.unique(run.cohort.donors)
        few = np.random.default_rng(7).choice(donors, round(FORGOTTEN * len(donors)), replace=False)
        obs = run.cohort.obs.assign(age=run.cohort.obs["age"].mask(np.isin(run.cohort.donors, few)))
        tables = examined(options, finished if kept else bench.folder / name, replace(run.cohort, obs=obs), run.latents)
        table = run.verdicts[["verdict", "share_age"]].join(
            tables["verdicts"].set_index("dim")[["verdict", "share_age"]], rsuffix="_gaps"
        )
        show(f"{name}: age unknown for {len(few)} of {len(donors)} donors", table)
        moved = (table["share_age_gaps"] - table["share_age"]).abs()
        new = table.index[(table["verdict_gaps"] == "biology") & (table["verdict"] != "biology")]
        lost = table.index[(table["verdict_gaps"] != "biology") & (table["verdict"] == "biology")]
        found = f"{moved.idxmax()} by {moved.max():.2f}"
        bench.check(f"gaps, {name}, share of age moves", found, "<= .1", moved.max() <= 0.1)
        found = f"new {', '.join(new) or 'none'}; no longer {', '.join(lost) or 'none'}"
        bench.check(f"gaps, {name}, biology", found, "none new", not len(new))


def other_checks(bench: Bench) -> None:
    """How often each verdict occurs in the proteomes."""
    for name in ("ageing_proteome", "covid_proteome"):
        run, _ = bench.whole(name)
        shares = [c for c in run.verdicts if c.startswith(("share_", "effect_", "q_"))]
        show(name, run.verdicts[["block", "verdict", "driver", "stability", *shares]])
        counts = ", ".join(f"{n} {v}" for v, n in run.verdicts["verdict"].value_counts().items())
        bench.check(f"{name}, verdicts", counts, "reported", True)


def main() -> int:
    """Run the parts and print every check with its bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--splits", type=int, default=2, help="random halvings of the lupus donors")
    parser.add_argument("--finished", type=Path, default=Path("results"), help="finished runs of whole cohorts")
    parser.add_argument("--results", type=Path, default=RESULTS / "verdicts_real")
    parser.add_argument("--again", action="store_true", help="train again, also where a finished run is there")
    options = parser.parse_args()
    options.data = options.data.resolve()
    bench = Bench(options)
    parts = dict(
        zip(
            PARTS,
            (lupus_checks, halves_checks, kang_checks, methylation_checks, gaps_checks, other_checks),
            strict=True,
        )
    )
    for name in options.only:
        parts[name](bench)
    table = pd.DataFrame(bench.checks, columns=["check", "found", "bar", "holds"])
    table["holds"] = np.where(table["holds"], "yes", "NO")
    print("\n" + table.to_string(index=False))
    return int((table["holds"] == "NO").any())


if __name__ == "__main__":
    show_progress()
    sys.exit(main())
