"""Docstrings as they stand in the package, read as numpy's.

The package writes a parameter and its meaning in one line (``run : whose model predicts``), because the type stands in
the signature. Numpy's form has the type there, so the line is broken before napoleon sees it.
"""

import re

SECTIONS = {"Parameters", "Other Parameters", "Attributes"}
ENTRY = re.compile(r"^(\s*)([\w*.`]+(?:, *[\w*.`]+)*) : (\S.*)$")


def broken(lines: list[str]) -> list[str]:
    """The lines, with a meaning that stands beside its parameter moved below it."""
    found, inside = [], False
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if re.fullmatch(r"\s*-{3,}\s*", following):
            inside = line.strip() in SECTIONS
        entry = ENTRY.match(line) if inside else None
        found += [f"{entry[1]}{entry[2]}", f"{entry[1]}    {entry[3]}"] if entry else [line]
    return found


def process(app, what, name, obj, options, lines):
    lines[:] = broken(lines)
    if what in ("attribute", "property"):
        lines[:1] = [f": {line}" for line in lines[:1]]  # napoleon takes what stands before a colon for a type


def setup(app):
    app.connect("autodoc-process-docstring", process, priority=1)  # napoleon comes at 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
