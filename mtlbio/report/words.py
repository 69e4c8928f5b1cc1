"""Numbers and names as a reader wants them: small pure functions used by page, sentences and figures."""

import pandas as pd

from mtlbio.kinds.vocabulary import DONORS, Vocabulary
from mtlbio.text import known, number

MODEL, SINGLE, COVARIATES, GIVEN = "multitask", "singletask", "covariates", "latents"
# arm -> its name in a picture and in prose
_ARMS = {
    MODEL: ("multi-task model", "the multi-task model"),
    GIVEN: ("ridge on the latents", "the ridge heads on the latents"),
    SINGLE: ("single-task model", "the single-task model"),
    COVARIATES: ("covariates only", "the covariates-only baseline"),
    "ridge": ("ridge, all {features}", "ridge regression on all {features}"),
    "elasticnet": ("elastic net", "the elastic net"),
    "lightgbm": ("LightGBM", "LightGBM"),
    "pca_linear": ("PCA + linear", "a linear model on principal components"),
    "site_intercept": ("ridge, intercept per site", "the ridge with an intercept of each site"),
    "site_deviations": ("ridge, slopes per site", "the ridge with slopes of each site"),
    "window_linear": ("linear, window of letters", "the linear window of letters"),
    "majority": ("commonest state, mean", "the commonest state or mean"),
}


def interval(value, low, high, digits: int = 2) -> str:
    """Value with its interval.

    Examples
    --------
    >>> interval(0.5, 0.41, 0.6)
    '0.50 (0.41 to 0.60)'
    """
    if not (known(low) and known(high)):
        return number(value, digits)
    return f"{number(value, digits)} ({number(low, digits)} to {number(high, digits)})"


def interval_parts(row: pd.Series, value: str, low: str, high: str, digits: int) -> tuple[str, str]:
    """Value and interval as two texts, for a cell of two lines."""
    if not (known(row.get(low)) and known(row.get(high))):
        return number(row.get(value), digits), ""
    return number(row[value], digits), f"{number(row[low], digits)} to {number(row[high], digits)}"


def probability(value) -> str:
    """A p or q value.

    Examples
    --------
    >>> probability(0.03), probability(0.0004), probability(0.0012)
    ('0.03', '< 0.001', '0.001')
    """
    if not known(value):
        return "–"
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.01 else f"{value:.2f}"


def percent(value) -> str:
    """A share between 0 and 1 in percent."""
    return f"{number(100 * float(value), 0)} %" if known(value) else "–"


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Count and noun that agree.

    Examples
    --------
    >>> counted(1, "donor"), counted(3200, "gene")
    ('1 donor', '3,200 genes')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def arm_label(arm: str, words: Vocabulary = DONORS) -> str:
    """An arm beside its bar in a picture."""
    return words.fill(_ARMS[arm][0]) if arm in _ARMS else arm


def arm_name(arm: str, words: Vocabulary = DONORS) -> str:
    """An arm in prose."""
    return words.fill(_ARMS[arm][1]) if arm in _ARMS else arm


def shortened(name: str, longest: int) -> str:
    """A name with at most so many characters."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def file_stem(name: str) -> str:
    """A part of a file name or an HTML identifier out of any text."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)
