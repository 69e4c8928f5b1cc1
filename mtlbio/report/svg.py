"""Figures as files and as inline SVG: same bytes for the same run, readable by machines and on dark screens."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mtlbio.report.palette import GRID, INK, MUTED, VARIABLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

RASTERISE_ABOVE = 2000  # points; beyond it a cloud as vectors would dominate the size of the page

_STYLE: dict[RcKeyType, Any] = {
    "svg.hashsalt": "mtlbio",
    "svg.fonttype": "none",
    # "$" in the name of a gene or a batch is a character, not a formula
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    **dict.fromkeys(["font.size", "axes.labelsize"], 8),
    **dict.fromkeys(["xtick.labelsize", "ytick.labelsize", "legend.fontsize"], 7.5),
    **dict.fromkeys(["text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"], INK),
    **dict.fromkeys(["axes.edgecolor", "xtick.color", "ytick.color"], MUTED),
    **dict.fromkeys(["axes.linewidth", "xtick.major.width", "ytick.major.width"], 0.7),
    **dict.fromkeys(["xtick.major.size", "ytick.major.size"], 3),
    **dict.fromkeys(["axes.spines.top", "axes.spines.right", "legend.frameon"], False),
    **dict.fromkeys(["axes.facecolor", "figure.facecolor"], "none"),
}
# a figure with its title and its description: what every function that draws gives
Drawing: TypeAlias = "tuple[Figure, str, str]"


@dataclass(frozen=True)
class Picture:
    """A drawn figure: ``inline`` is trusted markup with its text alternative, ``width`` in inches."""

    inline: str
    width: float


@contextmanager
def house_style() -> Iterator[None]:
    """Everything drawn and saved inside looks alike and is reproducible byte by byte."""
    from matplotlib import rc_context, rcdefaults

    with rc_context():
        rcdefaults()  # a matplotlibrc of the user must not change the page
        with rc_context(_STYLE):
            yield


def new_figure(width: float, height: float) -> Figure:
    """Empty figure of ``width`` x ``height`` inches, without pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def list_rows(axes: Axes, names: list[str], room: float = 0.4) -> None:
    """Name rows 0, 1, ... from top to bottom, without ticks and line; ``room`` in rows below the last one's middle."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - room, room - 1)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def save(figure: Figure, folder: Path, stem: str, title: str, description: str) -> Picture:
    """Write ``stem.svg`` and ``stem.png`` under ``folder`` and return the picture for the page."""
    figure.savefig(folder / f"{stem}.svg", metadata=dict.fromkeys(["Date", "Creator", "Format", "Type"]), dpi=150)
    figure.savefig(folder / f"{stem}.png", dpi=200, facecolor="white", metadata={"Software": None})
    text = (folder / f"{stem}.svg").read_text(encoding="utf-8")
    return Picture(inline(text, stem, title, description), float(figure.get_size_inches()[0]))


def inline(text: str, stem: str, title: str, description: str) -> str:
    """Turn the text of an SVG file into markup for an HTML page.

    The XML prologue and fixed size go, identifiers get the figure's name in front (two figures of one page may
    not share one), known colours become CSS variables, and the text alternative is attached.
    """
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{stem}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{stem}-\1)", body)
    body = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{stem}-\1"', body).replace("xlink:href=", "href=")
    for name, (colour, _) in VARIABLES.items():
        body = body.replace(colour, f"var(--{name})")
    box = re.findall(r'viewBox="([^"]+)"', body)[0]
    head = (
        f'<svg viewBox="{box}" role="img" aria-labelledby="{stem}-title {stem}-desc">'
        f'<title id="{stem}-title">{html.escape(title)}</title>'
        f'<desc id="{stem}-desc">{html.escape(description)}</desc>'
    )
    return re.sub(r"^<svg[^>]*>", lambda _: head, body).strip()
