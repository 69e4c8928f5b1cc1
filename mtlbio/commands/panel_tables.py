"""The tables of ``mtlbio panel``: the front, its panels, and what is known of the features of the smallest."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mtlbio.config import TrialOptions
from mtlbio.evaluation.panel.chosen import ALL, FINAL, SHARED, Panel, Panels, kinds_of
from mtlbio.evaluation.panel.exchange import exchangeable, free_partners
from mtlbio.evaluation.panel.fitted import Fitted
from mtlbio.evaluation.panel.front import Scored, front_table, looked_at, smallest
from mtlbio.evaluation.panel.stability import agreement, in_draws, in_folds
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.panel import try_panel
from mtlbio.tables import PANEL_FEATURES, PANEL_STABILITY, PANELS

NORMAL = 1.96
OFTEN = 0.1  # share of draws from which a feature outside the panel is listed


def panel_tables(
    scored: Scored,
    splits: pd.DataFrame,
    limits: Sequence[float],
    n_genes: int,
    prices: np.ndarray | None,
    options: TrialOptions,
    words: Vocabulary,
) -> dict[str, pd.DataFrame]:
    """Tables by the name of their file.

    Parameters
    ----------
    splits : in the order of the cohort's samples
    n_genes : the most variable features that are candidates
    prices : (features of the cohort,)
    """
    cohort, tasks = scored.cohort, list(scored.cohort.tasks)
    by_kind = {key: [(*key, float(limit)) for limit in limits] for key in kinds_of(tasks)}
    whose = {key: [key[1]] if key[1] else tasks for key in by_kind}
    does = {key: smallest(scored, row, whose[key]) for key, row in by_kind.items()}
    seen = {key: looked_at(scored, row, whose[key]) for key, row in by_kind.items()}
    shared = seen[SHARED, ""]
    everybody = Fitted.of(cohort, np.arange(len(cohort.obs)), np.arange(0), n_genes, scored.seed)
    final = scored.panels.members[shared, FINAL]
    exchange = exchangeable(cohort, splits, final, everybody, scored, tasks)
    place = {column: k for k, column in enumerate(everybody.places)}
    values = {cohort.genes[column]: everybody.x[:, place[column]] for column in final}
    scores = {(t, part): z for t in tasks for part, z in scored.panels.scores[shared, t].items()}
    fold = splits["fold"].to_numpy().astype(int)
    verdicts, follows = try_panel(cohort, fold, scores, values, options, words)
    cost = None if prices is None else prices[everybody.places]
    folds = {one: in_folds(scored.panels, one, len(cohort.genes)) for one in seen.values()}
    draws = {one: in_draws(everybody, one, len(cohort.genes), cost, seed=scored.seed) for one in seen.values()}
    parts = [_features(scored, one, folds[one], draws[one], prices) for one in seen.values()]
    features = pd.concat(parts, ignore_index=True)
    return {
        "front": front_table(scored, by_kind, does, prices),
        "panels": members_table(scored.panels, cohort.genes, prices),
        "features": _described(features, exchange, follows, verdicts),
        "stability": stability_table({"folds": folds, "draws": draws}, len(everybody.places)),
        "exchange": exchange,
        "follows": follows,
        "verdicts": verdicts,
    }


def members_table(panels: Panels, genes: Sequence[str], prices: np.ndarray | None) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.PANELS`: every feature of every panel, of every fold and of all donors."""
    parts = []
    for ((kind, task, limit), fold), places in panels.members.items():
        if kind == ALL:
            continue
        part = pd.DataFrame({"feature": [genes[j] for j in places], "rank": np.arange(len(places)) + 1})
        part["price"] = np.nan if prices is None else prices[places]
        about = {"panel": kind, "task": task or None, "limit": limit, "fold": "final" if fold == FINAL else str(fold)}
        parts.append(part.assign(**about))
    return pd.concat(parts, ignore_index=True)[PANELS]


def stability_table(inside: dict[str, dict[Panel, np.ndarray]], candidates: int) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.PANEL_STABILITY`: how alike panels of one size are, over the folds and over draws
    of donors; ``inside`` (panels, features) of each. An interval is of the draws alone: folds share their donors."""
    rows = []
    for over, of_panels in inside.items():
        for (kind, task, limit), chosen in of_panels.items():
            value, error = agreement(chosen, candidates)
            half = NORMAL * error if over == "draws" else np.nan
            rows.append([kind, task or None, limit, over, len(chosen), value, value - half, value + half])
    return pd.DataFrame(rows, columns=PANEL_STABILITY)


def _features(
    scored: Scored, panel: Panel, chosen: np.ndarray, drawn: np.ndarray, prices: np.ndarray | None
) -> pd.DataFrame:
    """Features of a panel of all donors, then others that some fold or a share of the draws has chosen."""
    genes, final = scored.cohort.genes, scored.panels.members[panel, FINAL]
    folds, draws = chosen.mean(axis=0), drawn.mean(axis=0)
    others = np.flatnonzero((folds > 0) | (draws >= OFTEN))
    others = others[~np.isin(others, final)]
    rows = np.concatenate([final, others[np.argsort(-draws[others], kind="stable")]]).astype(int)
    table = pd.DataFrame({"feature": [genes[j] for j in rows], "in_folds": folds[rows], "in_draws": draws[rows]})
    table["rank"] = [*range(1, len(final) + 1), *[np.nan] * (len(rows) - len(final))]
    table["price"] = np.nan if prices is None else prices[rows]
    return table.assign(panel=panel[0], task=panel[1] or None, limit=panel[2])


def _described(
    features: pd.DataFrame, exchange: pd.DataFrame, follows: pd.DataFrame, verdicts: pd.DataFrame
) -> pd.DataFrame:
    """Columns of :data:`mtlbio.tables.PANEL_FEATURES`: what the shared panel's features could be replaced by, which
    covariate they follow, and their verdicts."""
    partners = free_partners(exchange)
    followed = follows[follows["call"] == "follows"].groupby("dim")["covariate"].agg("; ".join)
    verdict = verdicts.set_index("dim")["verdict"] if len(verdicts) else pd.Series(dtype=str)
    inside = (features["panel"] == SHARED) & features["rank"].notna()
    named = features["feature"].where(inside)
    return features.assign(
        exchange=named.map({name: "; ".join(found) for name, found in partners.items()}),
        follows=named.map(followed),
        verdict=named.map(verdict),
    )[PANEL_FEATURES]
