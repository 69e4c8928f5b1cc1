"""Names of the sharing schemes, with a line for the user; torch is not needed to read them."""

from __future__ import annotations

SHARING = {
    "hard": "one trunk for all tasks, a head each",
}
