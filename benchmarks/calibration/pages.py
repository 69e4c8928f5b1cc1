"""What the calibration grid leaves in the docs: calibration.md, calibration.png, a table on each verdict's page."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.calibration.designs import DESIGNS
from benchmarks.calibration.score import any_false_biology, confusion, recall
from benchmarks.shared.places import ROOT
from mtlbio.files import replacing
from mtlbio.probing.rates import ALPHA, PARTS, SPEAK_FOR, wilson
from mtlbio.report.palette import VERDICTS

DOCS = ROOT / "docs"
ROLES = ("interferon", "interferon+noise", "age", "sex", "batch", "batch+interferon", "age+interferon", "composition")
ROLES += ("idle interferon", "noise")
_DOSES = ("enzyme", "inhibitor", "idle enzyme", "idle inhibitor", "weight", "age", "ancestry", "variant")
OWN_PAGES = {"doses": ("doses.md", _DOSES), "chains": ("proteins.md", ("labels", "noise", "position", "source"))}
OWN_PAGES |= {"latents": ("latents.md", ROLES)}
_BY_DESIGN = ("latents",)  # parts whose page has the rate of biology by size and separation too


def write_pages(rows: dict[str, pd.DataFrame], rates: pd.DataFrame) -> None:
    """Everything in ``docs/`` that states a number of the grid; those of cohorts only where both parts are there."""
    for part, (page, roles) in OWN_PAGES.items():
        if part in rows:
            own = rates[(rates["part"] == part) & (rates["alpha"] == ALPHA)]
            lines = [*cells_table(rows[part], roles), "", *error_lines(own)]
            lines += ["", "`biology` by design:", "", error_table(own, "biology")] if part in _BY_DESIGN else []
            between(DOCS / page, "\n".join(lines))
    if "levels" in rows:
        between(DOCS / "verdicts.md", levels_table(rows["levels"]), "<!-- levels -->")
    rows = {part: rows[part] for part in rows if part in SPEAK_FOR["measurements"]}
    if len(rows) < 2:
        return
    with replacing(DOCS / "calibration.md") as path:
        path.write_text(overview(rows), encoding="utf-8")
    confusion_figure(rows, DOCS / "calibration.png")
    for verdict in VERDICTS:
        page = DOCS / "verdicts" / f"{verdict}.md"
        if page.exists():
            between(page, error_table(rates, verdict))


def write_designs(rows: pd.DataFrame) -> None:
    """``docs/designs.md``: how often a run of each design held a false biology and found the programme."""
    false = any_false_biology(rows).set_index("cell")
    out = ["| design | donors | cohorts | any false biology, % (95 %) | interferon is `biology`, % |"]
    out.append("|---|---|---|---|---|")
    for cell, own in rows.groupby("cell", sort=False):
        row, driver = false.loc[cell], own[own["role"] == "interferon"]
        span = f"{100 * row['rate']:.1f} ({100 * row['low']:.1f}-{100 * row['high']:.1f})"
        found = f"{100 * (driver['verdict'] == 'biology').mean():.0f}" if len(driver) else ""
        name, _, size = str(cell).rpartition(", ")
        out.append(f"| {name} | {size.split()[0]} | {row['runs']:.0f} | {span} | {found} |")
    words: dict[str, str] = {}
    for name, (design, _, _) in DESIGNS.items():
        text = " ".join((design.__doc__ or "").split())
        words[text] = f"{words[text]}; {name}" if text in words else name
    between(DOCS / "designs.md", "\n".join([*out, "", *(f"- *{names}*: {text}" for text, names in words.items())]))


def overview(rows: dict[str, pd.DataFrame]) -> str:
    """``docs/calibration.md``."""
    lines = [
        "# How often verdicts are wrong",
        "",
        "Written by `python benchmarks/calibration/grid.py ship` from cohorts whose truth is planted; `axes --full`",
        "and `pipeline --full` make them. Each cell varies one thing around a base design: disease driven by",
        "interferon (log odds 1 per SD) and age (.8), batches independent of disease. What the right verdict on a",
        "dimension is, `benchmarks/calibration/truth.py` says; `underpowered` claims nothing and is never wrong.",
        "",
        "![Planted role against verdict](calibration.png)",
    ]
    for part, found in rows.items():
        runs = found.groupby("cell")["run"].nunique()
        lines += ["", f"## {PARTS[part].capitalize()}: {runs.sum():,} cohorts in {len(runs)} cells", ""]
        if "covered" in found:
            inside = found["covered"].dropna().astype(float)
            lines += [f"The 95 % intervals of the adjusted disease effect hold the true effect in {rate(inside)}.", ""]
        lines += cells_table(found)
    return "\n".join(lines) + "\n"


def rate(hits: pd.Series) -> str:
    """``4.1 % (3.2-5.3, n = 1,000)``."""
    value, low, high = wilson(int(hits.sum()), len(hits))
    return f"{100 * value:.1f} % ({100 * low:.1f}-{100 * high:.1f}, n = {len(hits):,})"


def cells_table(rows: pd.DataFrame, roles: tuple[str, ...] = ROLES) -> list[str]:
    """One line per cell: runs with any false biology, and right verdicts by planted role."""
    false = any_false_biology(rows).set_index("cell")
    right = recall(rows).pivot(index="cell", columns="role", values="right")
    roles = [r for r in roles if r in right]
    out = ["| cell | cohorts | any false biology, % (95 %) | " + " | ".join(f"{r}" for r in roles) + " |"]
    out.append("|---|---|---|" + "---|" * len(roles))
    for cell, row in false.iterrows():
        shares = ["" if np.isnan(right.loc[cell, r]) else f"{100 * right.loc[cell, r]:.0f}" for r in roles]
        span = f"{100 * row['rate']:.1f} ({100 * row['low']:.1f}-{100 * row['high']:.1f})"
        out.append(f"| {cell} | {row['runs']:.0f} | {span} | " + " | ".join(shares) + " |")
    note = "Columns of roles: dimensions of that role with a right verdict, %; the rest is mostly `underpowered`."
    return [*out, "", note]


def error_table(rates: pd.DataFrame, verdict: str) -> str:
    """Rates of one verdict by size and separation, at the usual level."""
    own = rates[(rates["verdict"] == verdict) & (rates["alpha"] == ALPHA)]
    own = own.sort_values(["part", "separation", "donors"], ascending=[False, True, True])
    if own.empty:
        return (
            "It claims nothing, so it has no error rate." if verdict == "underpowered" else "Never given on the grid."
        )
    out = ["| | P(batch = disease) | donors | verdicts | wrong | rate, % (95 %) |", "|---|---|---|---|---|---|"]
    for row in own.itertuples():
        span = f"{100 * row.rate:.1f} ({100 * row.low:.1f}-{100 * row.high:.1f})"
        cell = f"| {PARTS[row.part]} | {row.separation:g} | {row.donors:.0f} "
        out.append(f"{cell}| {row.n:.0f} | {row.wrong:.0f} | {span} |")
    return "\n".join(out)


def levels_table(rows: pd.DataFrame) -> str:
    """What another level of ``probe.alpha`` finds, and what it costs: all cells of one size together."""
    out = ["| `probe.alpha` | donors | cohorts | any false biology, % (95 %) | interferon is `biology`, % |"]
    out.append("|---|---|---|---|---|")
    for (alpha, donors), own in rows.groupby(["alpha", "donors"]):
        false = own.groupby(["cell", "run"])["false_biology"].any()
        value, low, high = wilson(int(false.sum()), len(false))
        found = (own.loc[own["role"] == "interferon", "verdict"] == "biology").mean()
        span = f"{100 * value:.1f} ({100 * low:.1f}-{100 * high:.1f})"
        out.append(f"| {alpha:g} | {donors} | {len(false)} | {span} | {100 * found:.0f} |")
    return "\n".join(out)


def error_lines(rates: pd.DataFrame) -> list[str]:
    """How often each verdict was wrong, whatever the cell."""
    out = ["| verdict | given | wrong | rate, % (95 %) |", "|---|---|---|---|"]
    for verdict, own in rates.groupby("verdict"):
        n, wrong = int(own["n"].sum()), int(own["wrong"].sum())
        value, low, high = wilson(wrong, n)
        out.append(f"| `{verdict}` | {n} | {wrong} | {100 * value:.1f} ({100 * low:.1f}-{100 * high:.1f}) |")
    return out


def between(page: Path, text: str, mark: str = "<!-- rates -->") -> None:
    """Replace what stands between two marks of a page."""
    old = page.read_text(encoding="utf-8")
    new = re.sub(f"{mark}.*{mark}", lambda _: f"{mark}\n\n{text}\n\n{mark}", old, flags=re.DOTALL)
    with replacing(page) as path:
        path.write_text(new, encoding="utf-8")


def confusion_figure(rows: dict[str, pd.DataFrame], target: Path) -> None:
    """Share of the dimensions of each planted role that got each verdict, one panel per part of the grid."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    order = list(VERDICTS)
    figure, panels = plt.subplots(1, len(rows), figsize=(5.4 * len(rows), 3.8), squeeze=False, layout="constrained")
    for axes, (part, found) in zip(panels[0], rows.items(), strict=True):
        found = found.assign(role=np.where(found["separation"] >= 1, found["role"] + " *", found["role"]))
        found = found[found["separation"].lt(1) | found["role"].isin(["interferon *", "batch *"])]
        counts = confusion(found).reindex(columns=order, fill_value=0)
        roles = [r for r in (*ROLES, "interferon *", "batch *") if r in counts.index and counts.loc[r].sum() >= 10]
        shares = counts.loc[roles].div(counts.loc[roles].sum(axis=1), axis=0)
        for i, role in enumerate(roles):
            for j, verdict in enumerate(order):
                value = shares.loc[role, verdict]
                style = {"color": VERDICTS[verdict].colour, "alpha": 0.05 + 0.9 * value, "linewidth": 0}
                axes.barh(i, 0.94, 0.9, left=j - 0.47, **style)
                text = "" if value < 0.0005 else f"{100 * value:.1f}" if value < 0.1 else f"{100 * value:.0f}"
                ink = "white" if value > 0.6 else "black"
                axes.text(j, i, text, ha="center", va="center", fontsize=7.5, color=ink)
        axes.set_yticks(range(len(roles)), [f"{r}  ({counts.loc[r].sum():,})" for r in roles], fontsize=7.5)
        axes.set_xticks(range(len(order)), order, rotation=35, ha="left", fontsize=7.5)
        axes.xaxis.tick_top()
        axes.set_ylim(len(roles) - 0.4, -0.6)
        axes.set_xlim(-0.6, len(order) - 0.4)
        axes.tick_params(length=0)
        axes.set_title(f"{PARTS[part]}: % of the dimensions of a planted role", fontsize=8.5, loc="left", pad=8)
        for side in axes.spines.values():
            side.set_visible(False)
    figure.text(0.0, -0.02, "* batch and disease are the same: nobody can tell them apart", fontsize=7.5)
    with replacing(target) as path:
        figure.savefig(path, dpi=150, bbox_inches="tight", facecolor="white", format="png")
    plt.close(figure)
