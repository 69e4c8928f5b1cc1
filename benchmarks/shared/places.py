"""Where the benchmarks stand, and where they keep what they made, whatever folder they are called from."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the repository
RESULTS = ROOT / "results" / "benchmarks"
