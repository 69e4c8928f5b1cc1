"""What every part of a run's YAML has in common: unknown keys are errors, and text is never taken for a number."""

from functools import reduce
from operator import getitem
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Section(BaseModel):
    """A part of the YAML; values have the dotted keys that a user knows: ``training.genes``, ``chains.own.path``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

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
