"""What every part of a run's YAML has in common: unknown keys are errors, and text is never taken for a number."""

from functools import reduce
from operator import getitem
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
# what NumPy, LightGBM and torch all take, with room for the replicas that follow the first
Seed = Annotated[int, Field(ge=0, le=2_000_000_000)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=100)]
LONGEST_TEXT = 4096  # characters: paths are no longer


class Section(BaseModel):
    """A part of the YAML; values have the dotted keys that a user knows: ``training.genes``, ``chains.own.path``."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        str_min_length=1,
        str_max_length=LONGEST_TEXT,
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        """A list of choices or columns holds each of them once; the line begins with the key below this section."""
        for key, value in self:
            lists = value if isinstance(value, dict) else {"": value}
            for name, items in lists.items():
                twice = _repeated(items) if isinstance(items, list) else None
                if twice is not None:
                    raise ValueError(f".{key}{name and f'.{name}'}: found {twice!r} more than once; valid: each once")
        return self

    def dump_of(self, keys: tuple[str, ...]) -> dict[str, Any]:
        """Dotted key -> what JSON can hold of its value.

        Examples
        --------
        >>> from mtlbio.config import Splits
        >>> Splits(seed=3).dump_of(("seed", "kind"))
        {'seed': 3, 'kind': 'donor'}
        """
        whole = self.model_dump(mode="json")
        return {key: reduce(getitem, key.split("."), whole) for key in keys}

    def with_value(self, key: str, value: Any) -> Self:
        """With another value at the dotted ``key``; what is not on the way stays the same object.

        Examples
        --------
        >>> from mtlbio.config import Splits
        >>> Splits().with_value("seed", 3).seed
        3
        """
        first, _, rest = key.partition(".")
        if rest:
            inner = getattr(self, first)
            if isinstance(inner, dict):
                name, _, rest = rest.partition(".")
                value = inner | {name: inner[name].with_value(rest, value)}
            else:
                value = inner.with_value(rest, value)
        return self.model_copy(update={first: value})


def _repeated(items: list) -> Any:
    """The first that stands for the second time; None where each stands once."""
    seen = set()
    for item in items:
        # 1, 1.0 and True are equal, and different values of a column
        if (type(item), item) in seen:
            return item
        seen.add((type(item), item))
    return None
