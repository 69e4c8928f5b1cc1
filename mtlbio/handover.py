"""Paths on their way to Snakemake, which takes the value of an option for YAML: ``007`` would become 7.

A job on a cluster gets the same words once more, through a shell. So they are plain letters: percent-encoded, joined
by commas, and marked, since a list in ``config/config.yaml`` is taken as it stands.
"""

import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

_MARK = "quoted:"


def quoted(paths: Iterable[str | os.PathLike[str]]) -> str:
    """The paths as one word.

    Examples
    --------
    >>> quoted(["007", "it's"])
    'quoted:007,it%27s'
    """
    return _MARK + ",".join(quote(os.fsencode(path)) for path in paths)


def unquoted(value: Any) -> Any:
    """The paths that :func:`quoted` made one word of, as a list; any other value as it is.

    Examples
    --------
    >>> unquoted("quoted:007,it%27s")
    ['007', "it's"]
    >>> unquoted("results")
    'results'
    """
    if not isinstance(value, str) or not value.startswith(_MARK):
        return value
    return [os.fsdecode(unquote_to_bytes(word)) for word in value.removeprefix(_MARK).split(",")]
