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
    values = [one_line(str(v), 80) for v in values]
    if len(values) <= limit:
        return ", ".join(values) if values else "(none)"
    return ", ".join(values[:limit]) + f", ... ({len(values)} in all)"


def one_line(text: str, longest: int | None = None) -> str:
    """Text as it can stand in a message: line breaks and other control characters are written out, long text is cut.

    Examples
    --------
    >>> one_line("a\\nb\\x1b[2J"), one_line("x" * 20, 12)
    ('a\\\\nb\\\\x1b[2J', 'xxxxxxxx ...')
    """
    shown = [c if c.isprintable() else c.encode("unicode_escape").decode() for c in text]
    text = "".join(shown)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 4]} ..."
