"""A sharing scheme by name."""

from importlib import import_module

from mtlbio.choices.sharing import SHARING, check_sharing
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.scheme import SCHEMES, Sharing


def registered() -> dict[str, type[Sharing]]:
    """Class of every scheme by name; each lies in the file of its name."""
    for name in SHARING:
        import_module(f"mtlbio.model.sharing.{name}")
    return {name: SCHEMES[name] for name in SHARING}


def make_sharing(name: str, outputs: Outputs, width: int, strength: float | None = None) -> Sharing:
    """The scheme of that name.

    Raises
    ------
    InputError
        Unknown name, a strength for a scheme without a penalty, or one below 0.
    """
    check_sharing(name, strength)
    import_module(f"mtlbio.model.sharing.{name}")
    return SCHEMES[name](outputs, width, strength)
