"""The keys of a pydantic model in words: what each accepts, for error messages and for the reference.

The sections say which keys there are; this module only describes whatever model it is given.
"""

import difflib
import math
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from mtlbio.errors import listing

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): ""}
_BOUNDS = {"ge": "{} or more", "gt": "above {}", "le": "at most {}", "lt": "below {}"}


def in_words(annotation: Any, metadata: list | tuple = ()) -> str:
    """What a value has to be.

    Examples
    --------
    >>> in_words(Literal["a", "b"]), in_words(list[str]), in_words(int | None)
    ('a, b', 'list of text', 'whole number')
    >>> in_words(dict[str, float])
    'name: number'
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        return in_words(inner, [m for e in extra for m in (e.metadata if isinstance(e, FieldInfo) else [e])])
    if origin is Literal:
        return ", ".join(map(str, get_args(annotation)))
    if origin in (Union, types.UnionType):
        members = get_args(annotation)
        parts = [in_words(a) for a in members if not (a is int and float in members)]
        return " or ".join(dict.fromkeys(p for p in parts if p))
    if origin is list:
        return f"list of {in_words(get_args(annotation)[0])}"
    if origin is dict:
        section = section_of(annotation)
        return f"name: {in_words(get_args(annotation)[1] if section is None else section)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"{{{', '.join(annotation.model_fields)}}}"
    words = _WORDS[annotation]
    if any(getattr(m, "pattern", None) for m in metadata):
        return f"{words} of letters, digits and . _ -, starting with a letter or digit"
    bounds = [text.format(getattr(m, key)) for m in metadata for key, text in _BOUNDS.items() if hasattr(m, key)]
    return f"{words}, {' and '.join(bounds)}" if bounds else words


def explain(
    error: ValidationError, model: type[BaseModel], *beside: type[BaseModel], elsewhere: Mapping[str, str] | None = None
) -> str:
    """The first problem of a validation error in one line: key, what was found, what is valid.

    Keys of the models ``beside`` are named as valid at the top level too. ``elsewhere`` says whose the keys of other
    sections are: one of them may be what a wrong key was meant to be.
    """
    first = error.errors()[0]
    location = list(first["loc"])
    if first["type"] == "value_error":
        line = first["msg"].removeprefix("Value error, ")
        return f"{_walk(location, model)[0]}{line}".lstrip(".") if line.startswith(".") else line
    if first["type"] == "invalid_key":
        section, found = _walk(location[:-1], model)[0], _cut(repr(first["input"]))
        return f"{section}: found {found} as a key; expected text (in quotes where YAML reads it otherwise)"
    names_a_key = location[-1:] == ["[key]"]
    key, annotation, metadata, parent = _walk([p for p in location if p != "[key]"], model)
    if first["type"] == "extra_forbidden":
        valid = list(merged_fields([model, *beside]) if parent is model else parent.model_fields)
        others = elsewhere if elsewhere and parent is model else {}
        near = difflib.get_close_matches(str(location[-1]), [*valid, *others], n=1)
        hints = [f"did you mean {name}{f' of {others[name]}' if name in others else ''}? " for name in near]
        return f"{key}: unknown key; {''.join(hints)}valid here: {listing(valid, 40)}"
    if first["type"] == "missing":
        return f"{key}: missing; expected {in_words(annotation, metadata)}"
    value = first.get("input")
    if names_a_key:
        return (
            f"{key}: a name has to be text of letters, digits and _, starting with a letter, 100 at most; "
            f"found {_cut(repr(value))}"
        )
    if first["type"] == "string_too_short":
        return f"{key}: found an empty text; expected {in_words(annotation, metadata)}"
    if first["type"] == "string_too_long":
        longest = first["ctx"]["max_length"]
        return f"{key}: found text of {len(value):,} characters; expected at most {longest:,}"
    shown = _cut(repr(value)) if isinstance(value, (str, int, float, bool)) else _kind(value)
    hint = ""
    if isinstance(value, bool) and "text" in in_words(annotation):
        hint = " (YAML reads yes, no, on and off as true and false: put it in quotes)"
    elif value is None:
        field = parent.model_fields.get(str(location[-1]))
        hint = " (an empty value; leave the key out for its default)" if field and not field.is_required() else ""
    elif isinstance(value, str) and _reads_as_number(value) and "number" in in_words(annotation, metadata):
        hint = " (text in YAML: write numbers without quotes, and 1.0e+9 for 1e9)"
    least = first["ctx"]["min_length"] if first["type"] == "too_short" else 0
    many = f"at least {'one' if least == 1 else least} " if least else ""
    return f"{key}: found {shown}{hint}; expected {many}{in_words(annotation, metadata)}"


def merged_fields(models: Sequence[type[BaseModel]]) -> dict[str, FieldInfo]:
    """Key -> field of several models; of a key that several have, the field of the first."""
    return {key: field for model in reversed(models) for key, field in model.model_fields.items()}


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation holds: itself, the value of a dict or the part of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(section_of, get_args(annotation)) if m is not None), None)


def _walk(location: list, model: type[BaseModel]) -> tuple[str, Any, list, type[BaseModel]]:
    """Key as the user wrote it, annotation and bounds of its value, and the section it stands in.

    Pydantic's locations also name the member of a union that failed: those parts are no keys.
    """
    parts: list[str] = []
    parent, metadata = model, list[Any]()
    annotation: Any = model
    for part in location:
        origin = get_origin(annotation)
        section = section_of(annotation)
        if origin is dict:
            parts.append(str(part))
            annotation, metadata = get_args(annotation)[1], []
        elif section is not None and isinstance(part, str):
            parts.append(part)
            parent = section
            field = section.model_fields.get(part)
            annotation, metadata = (field.annotation, field.metadata) if field else (None, [])
        elif isinstance(part, int) and _list(annotation) is not None:
            annotation, metadata = _list(annotation), []
        # otherwise the name of a member of a union
    return ".".join(map(_cut, parts)), annotation, metadata, parent


def _list(annotation: Any) -> Any:
    """Type of the items of a list, also of an optional one."""
    if get_origin(annotation) is list:
        return get_args(annotation)[0]
    return next((i for i in map(_list, get_args(annotation)) if i is not None), None)


def _reads_as_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _cut(text: str) -> str:
    """Text for one line of a message: without line breaks, and not much of what is very long."""
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:70]} ... ({len(text):,} characters)"


def _kind(value: Any) -> str:
    names: dict[type, str] = {type(None): "nothing", list: "a list", dict: "a mapping of keys"}
    return names.get(type(value), type(value).__name__)
