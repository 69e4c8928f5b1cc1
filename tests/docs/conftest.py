"""The extensions of the site, which stand in docs/ and not in the package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "docs/_ext"))
