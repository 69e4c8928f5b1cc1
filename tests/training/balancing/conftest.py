"""The steps that the balancers' tests share (``steps.py`` lies beside this file)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
