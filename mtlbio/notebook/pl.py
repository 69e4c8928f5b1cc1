"""``mtlbio.pl``: the pictures of the page, on matplotlib axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mtlbio.errors import InputError, listing
from mtlbio.notebook.result import TrialResult
from mtlbio.report.cards import CARD_SIZE, panels_of
from mtlbio.report.design import design_size, draw_design, pairs_of
from mtlbio.report.heatmap import draw_heatmap, heatmap_size
from mtlbio.report.inputs import Inputs
from mtlbio.report.svg import house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["audit", "dimension", "verdicts"]


def verdicts(trial: TrialResult, ax: Axes | None = None) -> Axes:
    """All dimensions at once: how much of each the covariates explain, and what it still says of the tasks.

    Parameters
    ----------
    trial : what ``mtlbio.trial`` or ``mtlbio.train`` gave for data in memory
    ax : where it is drawn; a new figure where left out

    Returns
    -------
    matplotlib.axes.Axes
        Rows are dimensions, in the order of their verdicts; columns are shares of the covariates (0 to 1) and
        standardised effects of the tasks after adjustment.

    Raises
    ------
    InputError
        ``trial`` is no such result.

    Examples
    --------
    >>> import numpy as np, pandas as pd, mtlbio as mb
    >>> obs = pd.DataFrame({"donor": [f"D{i}" for i in range(60)], "disease": ["case", "control"] * 30})
    >>> Z = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["z1", "z2", "z3"])
    >>> found = mb.trial(Z, obs=obs, donor="donor", tasks={"disease": "case"}, saw="donors")
    >>> ax = mb.pl.verdicts(found)
    >>> [tick.get_text() for tick in ax.get_xticklabels()]
    ['disease']
    """
    inputs = _inputs(trial)
    with house_style():
        axes = _axes(ax, heatmap_size(inputs))[0]
        draw_heatmap(inputs, axes)
    return axes


def dimension(trial: TrialResult, dim: str, ax: Axes | Sequence[Axes] | None = None) -> np.ndarray:
    """The picture on the card of a dimension: what its verdict claims.

    For ``biology`` it is the dimension by its task after adjustment, beside what names it; for ``technical`` and
    ``confounder`` the dimension against the covariate (docs/page.md).

    Parameters
    ----------
    trial : as of :func:`verdicts`
    dim : name of the dimension
    ax : where it is drawn: one panel per axes, the claim first, so that one axes holds the claim alone; a new figure
        with all panels where left out

    Returns
    -------
    numpy.ndarray
        (panels,) the matplotlib axes that were drawn on, one or two.

    Raises
    ------
    InputError
        ``trial`` is no such result, there is no such dimension, or there are more axes than panels.

    Examples
    --------
    >>> import numpy as np, pandas as pd, mtlbio as mb
    >>> obs = pd.DataFrame({"donor": [f"D{i}" for i in range(60)], "disease": ["case", "control"] * 30})
    >>> Z = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["z1", "z2", "z3"])
    >>> found = mb.trial(Z, obs=obs, donor="donor", tasks={"disease": "case"}, saw="donors")
    >>> ax, = mb.pl.dimension(found, "z2")
    >>> ax.get_ylabel()
    'z2, no covariates (SD)'
    """
    inputs = _inputs(trial)
    if dim not in inputs.verdicts.index:
        raise InputError(f"no dimension {dim!r}; there are {listing(inputs.verdicts.index, 40)}")
    panels = panels_of(inputs, dim)
    with house_style():
        drawn = _axes(ax, CARD_SIZE, len(panels))
        if len(drawn) > len(panels):
            raise InputError(f"ax: found {len(drawn)} axes; {dim} has {len(panels)} panel(s)")
        for axes, panel in zip(drawn, panels, strict=False):
            before = list(axes.figure.legends)
            panel(axes, narrow=len(drawn) > 1)
            if ax is not None:
                _legends_inside(axes, before)
    return drawn


def audit(trial: TrialResult, ax: Axes | None = None) -> Axes:
    """What the design can tell apart: tasks by covariates, and how closely they go together.

    Parameters
    ----------
    trial, ax : as of :func:`verdicts`

    Returns
    -------
    matplotlib.axes.Axes
        A number is Cramer's V, a share of variance or a squared correlation (0 to 1, ``trial.audit`` says which); a
        triangle marks a pair that is hard to tell apart, a cross one that nobody can.

    Raises
    ------
    InputError
        ``trial`` is no such result, or there is no covariate.

    Examples
    --------
    >>> import numpy as np, pandas as pd, mtlbio as mb
    >>> obs = pd.DataFrame({"donor": [f"D{i}" for i in range(60)], "disease": ["case", "control"] * 30})
    >>> obs["batch"] = ["B1", "B1", "B2", "B2"] * 15
    >>> Z = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["z1", "z2", "z3"])
    >>> found = mb.trial(Z, obs=obs, donor="donor", tasks={"disease": "case"}, covariates={"batch": "technical"},
    ...                  saw="donors")
    >>> ax = mb.pl.audit(found)
    >>> [tick.get_text() for tick in ax.get_xticklabels()], [tick.get_text() for tick in ax.get_yticklabels()]
    (['batch'], ['disease'])
    """
    inputs = _inputs(trial)
    pairs = pairs_of(inputs)
    if not len(pairs):
        raise InputError("covariates: none in this trial, so there is no pair to be told apart")
    with house_style():
        axes = _axes(ax, design_size(pairs))[0]
        draw_design(inputs, axes)
    return axes


def _inputs(trial: Any) -> Inputs:
    if not isinstance(trial, TrialResult):
        raise InputError(
            f"trial: found {type(trial).__name__}; expected what mtlbio.trial or mtlbio.train gives for data in memory"
        )
    return trial.drawn_from


def _axes(ax: Axes | Sequence[Axes] | None, size: tuple[float, float], panels: int = 1) -> np.ndarray:
    """(k,) the axes that were given, else those of a new figure of pyplot, which a notebook shows by itself."""
    if ax is not None:
        return np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=size, layout="constrained", facecolor="white")
    return figure.subplots(1, panels, squeeze=False).ravel()


def _legends_inside(axes: Axes, before: list) -> None:
    """Put a legend that a panel gave to the figure, which is somebody's, into the axes."""
    for legend in [legend for legend in axes.figure.legends if legend not in before]:
        texts = [text.get_text() for text in legend.get_texts()]
        axes.legend([handle for handle in legend.legend_handles if handle is not None], texts, loc="best", fontsize=7)
        legend.remove()
