"""The one place for colours, marks and words of the verdicts: page and figures must never disagree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VerdictStyle:
    """How a verdict looks and what it says.

    Colour is never alone: every badge and tick also carries the mark and the word, so that the page
    survives colour blindness and a black-and-white printer. ``meaning`` is to be filled with a run's vocabulary.
    """

    label: str
    plural: str
    colour: str
    dark: str
    mark: str
    meaning: str


# Hues after Okabe & Ito (2008), darkened until white text on them reaches a contrast of 4.5 : 1.
# `dark` is the tint that stands in for the hue on a dark screen.
VERDICTS: dict[str, VerdictStyle] = {
    "biology": VerdictStyle(
        "biology",
        "biology",
        "#0b7a5c",
        "#3cc79c",
        "●",
        "still follows {a_label} once confounders, {batch} and the other dimensions are given",
    ),
    "technical": VerdictStyle("technical", "technical", "#0067a5", "#58b0ea", "■", "follows how {processed}"),
    "confounder": VerdictStyle(
        "confounder",
        "confounders",
        "#b84a00",
        "#f58b45",
        "◆",
        "follows a covariate; its link to the labels vanishes once that covariate is given",
    ),
    "mixed": VerdictStyle(
        "mixed", "mixed", "#8a4a8f", "#cf90d4", "▲", "several of these at once, and none of them dominates"
    ),
    "not_identifiable": VerdictStyle(
        "not identifiable",
        "not identifiable",
        "#454b54",
        "#aeb7c2",
        "✕",
        "label and {batch} (or confounder) go together in this design: nobody can separate them here",
    ),
    "underpowered": VerdictStyle(
        "underpowered", "underpowered", "#866500", "#d8b03c", "△", "too few {units} to affirm or to exclude anything"
    ),
    "unused": VerdictStyle(
        "unused", "unused", "#68727e", "#8d98a5", "○", "no association, and every prediction does as well without it"
    ),
}

INK, MUTED, GRID = "#1c2530", "#5b6674", "#dde2e8"
DARK_INK, DARK_MUTED, DARK_GRID = "#e8ecf1", "#9ba6b3", "#38424e"
ON, DARK_ON = "#ffffff", "#10151b"  # text upon a coloured ground
HIGHLIGHT, DARK_HIGHLIGHT = "#34406b", "#9fb0f0"

# Classes of a label inside one picture: the first class stays neutral, the others stand out from it.
NEUTRAL, FAINT = "#8fa0b3", "#c8ced6"
CLASS_COLOURS = ("#b0487d", "#c7902b", "#3f7fbf", "#5d8f3a", "#7a5bb5", "#2f9d9d")
# helix and strand, wherever residues are drawn; coil is grey
STATE_COLOURS = {"H": CLASS_COLOURS[0], "E": CLASS_COLOURS[2]}


def colour(verdict: str) -> str:
    """Colour of a verdict on light ground."""
    return VERDICTS[verdict].colour


def variables() -> dict[str, tuple[str, str, str]]:
    """CSS variables: name -> (value on light ground, value on dark ground, the hex that figures use)."""
    found = {
        "ink": (INK, DARK_INK, INK),
        "muted": (MUTED, DARK_MUTED, MUTED),
        "grid": (GRID, DARK_GRID, GRID),
        "highlight": (HIGHLIGHT, DARK_HIGHLIGHT, HIGHLIGHT),
        "on": (ON, DARK_ON, ON),
    }
    for name, style in VERDICTS.items():
        found[name.replace("_", "-")] = (style.colour, style.dark, style.colour)
    return found
