"""How large panels may be: numbers of features, or what they may cost where features have prices."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtlbio.cohort.metadata import read_metadata
from mtlbio.errors import InputError, listing

SIZES = (3, 6, 12, 24, 48, 96, 192)
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # of the price of all features
MOST = 1000  # features of a panel


def sizes_of(text: str | None) -> tuple[float, ...] | None:
    """Limits as they are typed, ascending and each once; None where nothing was typed.

    Raises
    ------
    InputError
        Something that is no number above 0.

    Examples
    --------
    >>> sizes_of("24,6,12"), sizes_of(None)
    ((6.0, 12.0, 24.0), None)
    """
    if text is None:
        return None
    try:
        limits = sorted({float(word) for word in text.split(",")})
    except ValueError:
        limits = []
    if not limits or not all(np.isfinite(limits)) or limits[0] <= 0:
        raise InputError(f"--sizes: found {text!r}; expected numbers above 0 with commas between, such as 6,12,24")
    return tuple(limits)


def limits_of(asked: Sequence[float] | None, features: int, prices: np.ndarray | None) -> tuple[float, ...]:
    """Limits of panels out of so many candidates, ascending.

    Raises
    ------
    InputError
        A size that is not whole, beyond ``MOST``, or not below the number of features; a price that pays for no
        feature, or for all.
    """
    asked = None if asked is None else sorted(set(asked))
    if prices is not None:
        total = float(prices.sum())
        limits = tuple(asked) if asked is not None else tuple(round(share * total, 6) for share in SHARES)
        paid = [limit for limit in limits if prices.min() <= limit < total]
        if asked is not None and len(paid) < len(limits):
            unpaid = next(limit for limit in limits if limit not in paid)
            raise InputError(
                f"--sizes: found {unpaid:g}; with prices expected sums from that of the cheapest feature "
                f"({prices.min():g}) to below that of all ({total:g})"
            )
        return tuple(paid)
    if asked is None:
        return tuple(float(size) for size in SIZES if size < features)
    most = min(MOST, features - 1)
    wrong = [size for size in asked if size != int(size) or not 1 <= size <= most]
    if wrong:
        raise InputError(
            f"--sizes: found {wrong[0]:g}; expected whole numbers from 1 to {most}, of {features} features"
        )
    return tuple(float(size) for size in asked)


def panel_of(order: np.ndarray, limit: float, prices: np.ndarray | None) -> np.ndarray:
    """The panel of a limit out of an order of columns: the first so many, or each in turn that can still be paid.

    Examples
    --------
    >>> import numpy as np
    >>> order, prices = np.array([2, 0, 1]), np.array([1.0, 2.0, 4.0])
    >>> panel_of(order, 2, None).tolist(), panel_of(order, 3, prices).tolist()
    ([2, 0], [0, 1])
    """
    if prices is None:
        return order[: int(limit)]
    chosen, left = [], limit * (1 + 1e-9)
    for column in order:
        if prices[column] <= left:
            chosen.append(column)
            left -= prices[column]
    return np.array(chosen, dtype=int)


def most_of(limits: Sequence[float], prices: np.ndarray | None) -> int:
    """Features of the largest panel; ``limits`` ascend."""
    if prices is None:
        return int(limits[-1])
    return min(int((np.cumsum(np.sort(prices)) <= limits[-1] * (1 + 1e-9)).sum()), MOST)


def read_prices(path: Path, names: Sequence[str], words: str) -> np.ndarray:
    """(p,) price of every feature of a cohort, from a table with the columns ``feature`` and ``price``.

    ``words``: what features are called, for messages.

    Raises
    ------
    InputError
        A column is missing, a feature has no price or two, or a price is no number from 0 on.
    """
    table = read_metadata(path, "--prices")
    missing = [column for column in ("feature", "price") if column not in table]
    if missing:
        raise InputError(f"{path}: column {listing(missing)} missing; found {listing(table.columns)}")
    feature, text = table["feature"].astype(str), table["price"]
    if feature.duplicated().any():
        raise InputError(f"{path}: {feature[feature.duplicated()].iloc[0]!r} stands twice; expected one price of each")
    price = dict(zip(feature, text, strict=True))
    without = [name for name in names if name not in price]
    if without:
        raise InputError(f"{path}: no price of {listing(without, 3)}; expected one of each of the {len(names)} {words}")
    try:
        values = np.array([float(price[name]) for name in names])
    except (TypeError, ValueError):
        values = np.array([np.nan])
    if not (np.isfinite(values) & (values >= 0)).all() or not (values > 0).any():
        raise InputError(f"{path}: column price: expected numbers from 0 on, one above 0 at least")
    return values
