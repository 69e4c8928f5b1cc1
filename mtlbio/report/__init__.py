"""Figures and the self-contained page; ``mtlbio.report(run)`` draws them.

The room has the name of its step, and Python binds a room to its package as soon as anything in it is imported: a
function ``mtlbio.report`` would then be gone. So the room itself can be called, and it is the same object in any order.
"""

import sys
from pathlib import Path
from types import ModuleType

from mtlbio.kinds.base import function_at


class _Room(ModuleType):
    def __call__(self, run, results: str | Path | None = None) -> Path:
        """:func:`mtlbio.door.report`: draw the figures and the page; gives its path."""
        return function_at("mtlbio.door:report")(run, results)


sys.modules[__name__].__class__ = _Room
