"""The picture of one chain: its letters with the predicted states, and the predicted numbers below them."""

from pathlib import Path

import numpy as np

from mtlbio.report.palette import FAINT, HIGHLIGHT, INK, MUTED, STATE_COLOURS
from mtlbio.report.svg import Picture, new_figure, save

PER_LINE = 60
_STATE_NAMES = {"H": "helix", "E": "strand", "C": "coil"}


def chain_picture(
    name: str,
    letters: str,
    states: str | None,
    confidence: np.ndarray | None,
    numbers: dict[str, np.ndarray],
    folder: Path,
    stem: str,
) -> Picture:
    """Draw a chain, 60 residues to a line, and write it as SVG and PNG.

    Parameters
    ----------
    letters : sequence
    states : H, E, C per residue, None where no secondary structure is predicted
    confidence : (length,) probability of that state; low ones are drawn pale
    numbers : name -> (length,) values between 0 and 1, each a line below the letters
    """
    lines = -(-len(letters) // PER_LINE)
    tall = 0.42 + 0.22 * len(numbers)
    figure = new_figure(7.2, 0.5 + tall * lines)
    axes = figure.subplots()
    step = 2.2 + 1.4 * len(numbers)
    for line in range(lines):
        start = line * PER_LINE
        part = slice(start, min(start + PER_LINE, len(letters)))
        base = -line * step
        axes.text(-1.5, base + 0.5, str(start + 1), ha="right", va="center", fontsize=6, color=MUTED)
        for i, letter in enumerate(letters[part]):
            if states is not None:
                sure = 1.0 if confidence is None else float(confidence[start + i])
                colour = STATE_COLOURS.get(states[start + i], FAINT)
                axes.bar(i, 1.0, 1.0, bottom=base, color=colour, alpha=0.25 + 0.6 * sure, linewidth=0)
            axes.text(i, base + 0.48, letter, ha="center", va="center", fontsize=5.5, color=INK, family="monospace")
        for k, (label, values) in enumerate(numbers.items()):
            floor = base - 1.4 * (k + 1) + 0.2
            x = np.arange(part.stop - part.start)
            axes.fill_between(x, floor, floor + np.clip(values[part], 0, 1), step="mid", color=HIGHLIGHT, alpha=0.35)
            axes.plot([-0.5, len(x) - 0.5], [floor, floor], color=MUTED, linewidth=0.4)
            if line == 0:
                axes.text(PER_LINE + 0.5, floor + 0.4, label, ha="left", va="center", fontsize=6, color=MUTED)
    if states is not None:
        for i, (state, label) in enumerate(_STATE_NAMES.items()):
            axes.bar(i * 9, 0.7, 1.6, bottom=1.7, color=STATE_COLOURS.get(state, FAINT), linewidth=0)
            axes.text(i * 9 + 1.4, 2.05, label, ha="left", va="center", fontsize=6, color=MUTED)
    axes.set_xlim(-5, PER_LINE + 8)
    axes.set_ylim(-(lines - 1) * step - 1.4 * len(numbers) - 0.2, 2.8)
    axes.axis("off")
    title = f"{name}: {len(letters)} residues"
    axes.set_title(title, fontsize=8)
    described = ""
    if states is not None:
        shares = ", ".join(f"{_STATE_NAMES[s]} {100 * states.count(s) / len(states):.0f} %" for s in "HEC")
        described = f"Predicted states: {shares}. "
    means = ", ".join(f"mean {label} {values.mean():.2f}" for label, values in numbers.items())
    return save(figure, folder, stem, title, described + (f"Predicted {means}." if means else ""))
