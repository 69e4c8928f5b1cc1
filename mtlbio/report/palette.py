"""The one place for colours, marks and words of the verdicts: page and figures must never disagree."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VerdictStyle:
    """How a verdict looks and what it says.

    Colour is never alone: every badge and tick also carries the mark and the word, so that the page
    survives colour blindness and a black-and-white printer. ``dark`` is the tint that stands in for the hue on a dark
    screen, ``meaning`` is to be filled with a run's vocabulary.
    """

    label: str
    colour: str
    dark: str
    mark: str
    meaning: str

    @property
    def plural(self) -> str:
        """What several dimensions of the verdict are."""
        return "confounders" if self.label == "confounder" else self.label


# Hues after Okabe & Ito (2008), darkened until white text on them reaches a contrast of 4.5 : 1.
_LOOKS = {
    "biology": ("#0b7a5c", "#3cc79c", "●"),
    "technical": ("#0067a5", "#58b0ea", "■"),
    "confounder": ("#b84a00", "#f58b45", "◆"),
    "mixed": ("#8a4a8f", "#cf90d4", "▲"),
    "not_identifiable": ("#454b54", "#aeb7c2", "✕"),
    "underpowered": ("#866500", "#d8b03c", "△"),
    "unused": ("#68727e", "#8d98a5", "○"),
}
_MEANINGS = {
    "biology": "still follows {a_label} once confounders, {batch} and the other dimensions are given",
    "technical": "follows how {processed}",
    "confounder": "follows a covariate; its link to the labels vanishes once that covariate is given",
    "mixed": "several of these at once, and none of them dominates",
    "not_identifiable": "label and {batch} (or confounder) go together in this design: nobody can separate them here",
    "underpowered": "too few {units} to affirm or to exclude anything",
    "unused": "no association, and every prediction does as well without it",
}
VERDICTS = {name: VerdictStyle(name.replace("_", " "), *look, _MEANINGS[name]) for name, look in _LOOKS.items()}

INK, MUTED, GRID, HIGHLIGHT = "#1c2530", "#5b6674", "#dde2e8", "#34406b"
ON = "#ffffff"  # text upon a coloured ground
# CSS variables: name -> (value on light ground, which figures use, value on dark ground)
VARIABLES = {
    "ink": (INK, "#e8ecf1"),
    "muted": (MUTED, "#9ba6b3"),
    "grid": (GRID, "#38424e"),
    "highlight": (HIGHLIGHT, "#9fb0f0"),
    "on": (ON, "#10151b"),
} | {name.replace("_", "-"): (style.colour, style.dark) for name, style in VERDICTS.items()}

# Classes of a label inside one picture: the first class stays neutral, the others stand out from it.
NEUTRAL, FAINT = "#8fa0b3", "#c8ced6"
CLASS_COLOURS = ("#b0487d", "#c7902b", "#3f7fbf", "#5d8f3a", "#7a5bb5", "#2f9d9d")
# helix and strand, wherever residues are drawn; coil is grey
STATE_COLOURS = {"H": CLASS_COLOURS[0], "E": CLASS_COLOURS[2]}
