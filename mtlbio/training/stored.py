"""What training found, as named arrays: dataclasses to and from what safetensors can hold.

The annotations of the dataclasses say how to go back, so a new field needs no line here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import torch

# Of an array that lies column after column: a product reads it in that order, and rounds accordingly.
_TURNED = "'"


def taken_apart(value: Any, name: str = "") -> dict[str, np.ndarray]:
    """Arrays by name of a dataclass of arrays, tensors, numbers, texts, and lists, dicts and dataclasses of those.

    Examples
    --------
    >>> taken_apart({(0, 1): [np.arange(2), np.ones(1)]})
    {'0,1/0': array([0, 1]), '0,1/1': array([1.])}
    """
    if value is None:
        return {}
    if isinstance(value, torch.Tensor):
        return {name: value.detach().cpu().numpy()}
    if isinstance(value, str):
        return {name: np.frombuffer(value.encode(), dtype=np.uint8)}
    if isinstance(value, np.ndarray | np.generic | int | float):
        array = np.asarray(value)
        turned = array.flags.f_contiguous and not array.flags.c_contiguous
        return {f"{name}{_TURNED}": array.T} if turned else {name: array}
    parts = [taken_apart(inside, f"{name}/{key}" if name else key) for key, inside in _inside(value)]
    return {key: array for part in parts for key, array in part.items()}


def put_together(kind: Any, arrays: Mapping[str, np.ndarray], name: str = "") -> Any:
    """The value of that type which :func:`taken_apart` gave ``arrays`` of; what has no array is None, or empty.

    Examples
    --------
    >>> put_together(dict[tuple[int, ...], list[float]], {"0,1/0": np.array(2.0)})
    {(0, 1): [2.0]}
    """
    options, below = get_args(kind), f"{name}/" if name else ""
    if NoneType in options:
        there = any(key == name or key.startswith(below) for key in arrays)
        (kind,) = (option for option in options if option is not NoneType)
        return put_together(kind, arrays, name) if there else None
    if kind is torch.Tensor:
        return torch.from_numpy(arrays[name])
    if kind is np.ndarray:
        return arrays[f"{name}{_TURNED}"].T if f"{name}{_TURNED}" in arrays else arrays[name]
    if kind is str:
        return bytes(arrays[name]).decode()
    if kind in (int, float):
        return kind(arrays[name])
    if get_origin(kind) is list:
        return [put_together(options[0], arrays, f"{below}{k}") for k in range(len(_keys(below, arrays)))]
    if get_origin(kind) is dict:
        made = {key: put_together(options[1], arrays, f"{below}{key}") for key in _keys(below, arrays)}
        return made if options[0] is str else {tuple(map(int, key.split(","))): value for key, value in made.items()}
    return kind(**{key: put_together(hint, arrays, f"{below}{key}") for key, hint in get_type_hints(kind).items()})


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in fields(value))
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield ",".join(map(str, key)) if isinstance(key, tuple) else key, inside
    else:
        yield from ((str(place), inside) for place, inside in enumerate(value))


def _keys(below: str, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """First parts of the names that stand below, each once."""
    return sorted({key.removeprefix(below).partition("/")[0] for key in arrays if key.startswith(below)})
