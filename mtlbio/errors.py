"""The one exception that a user may see: a single clear line, no traceback."""


class InputError(ValueError):
    """What a user gave cannot be used.

    The message is one line that names the file, key or column, what was found and what is valid.
    The command line prints it after ``mtlbio: error:`` and exits with status 2.
    """


def listing(values, limit: int = 8) -> str:
    """Join the valid (or offending) choices for an error message, cut after ``limit``.

    Examples
    --------
    >>> listing(["b", "a"])
    'b, a'
    >>> listing(range(12), limit=3)
    '0, 1, 2, ... (12 in all)'
    """
    values = [str(v) for v in values]
    if len(values) <= limit:
        return ", ".join(values) if values else "(none)"
    return ", ".join(values[:limit]) + f", ... ({len(values)} in all)"
