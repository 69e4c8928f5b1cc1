"""``python -m mtlbio``."""

from mtlbio.cli import main

main()
