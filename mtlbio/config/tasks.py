"""The section ``tasks`` of a run's YAML: every label has the keys of its kind.

Which keys there are is known to the kinds of label (:mod:`mtlbio.labels`). ``Task`` and ``ResidueTask`` hold the keys
of all kinds of the package and are what the reference and the JSON schemas show.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SerializeAsAny, ValidationError, WrapValidator, create_model
from pydantic_core import PydanticUndefined

from mtlbio.config.keys import explain
from mtlbio.errors import InputError, listing
from mtlbio.labels import TaskSection
from mtlbio.labels.registry import LABELS, Registry
from mtlbio.labels.residues import ResidueSection
from mtlbio.labels.residues.registry import RESIDUE_LABELS
from mtlbio.section import Name, Section
from mtlbio.text import joined


def every_key(name: str, base: type[Section], labels: Registry) -> type[Section]:
    """A section with the keys of all kinds, in their order, after those of ``base``, which all of them have."""
    keys: dict[str, Any] = {"kind": (Literal[tuple(labels.kinds())], base.model_fields["kind"])}
    for kind in labels.kinds().values():
        for key, field in kind.section.model_fields.items():
            if key not in base.model_fields:
                keys.setdefault(key, (field.annotation, field))
    return create_model(name, __base__=base, __doc__=base.__doc__, **keys)


def by_kind(every: type[Section], labels: Registry) -> WrapValidator:
    """Validator of a mapping of tasks that checks each by the section of its kind; ``every`` has the keys of all."""

    def is_default(key: str, value: Any) -> bool:
        field = every.model_fields.get(key)
        return field is not None and field.default is not PydanticUndefined and (value == field.default or value == [])

    def having(key: str) -> list[str]:
        return [name for name, kind in labels.kinds().items() if key in kind.section.model_fields]

    def task(name: Any, content: Any, whole) -> Section:
        if isinstance(content, Section):
            return content
        whole({name: every.model_construct()})  # the name alone
        if not isinstance(content, dict) or not isinstance(content.get("kind"), str):
            whole({name: content})
        key = f"tasks.{name}"
        try:
            kind = labels.named(content["kind"])
        except InputError as error:
            raise ValueError(f"{key}.{error}") from None
        keys = kind.section.model_fields
        content = {k: v for k, v in content.items() if k in keys or not is_default(k, v)}
        elsewhere = {k: joined(having(k)) for k in every.model_fields if k not in keys}
        foreign = [k for k in content if k in elsewhere]
        if foreign:
            raise ValueError(
                f"{key}.{foreign[0]}: only {elsewhere[foreign[0]]} tasks have one; found kind: {content['kind']}; "
                f"valid here: {listing(keys, 40)}"
            )
        try:
            section = kind.section.model_validate(content)
        except ValidationError as error:
            line = explain(error, kind.section, elsewhere={k: f"{names} tasks" for k, names in elsewhere.items()})
            raise ValueError(f"{key}{line}" if line.startswith(":") else f"{key}.{line}") from None
        kind.check(key, section)
        return section

    def tasks(value: Any, whole) -> dict[str, Section]:
        if value is None:
            raise ValueError(
                "tasks: none yet; expected at least one label below it, such as `disease: {kind: binary, positive: "
                "case}` (of a draft: take the # away from the lines that are labels)"
            )
        if not isinstance(value, dict) or not value:
            return whole(value)  # what does not depend on a kind
        return {name: task(name, content, whole) for name, content in value.items()}

    return WrapValidator(tasks)


if TYPE_CHECKING:  # what a checker knows of them: the keys that every kind has
    Task = TaskSection
    ResidueTask = ResidueSection
else:
    Task = every_key("Task", TaskSection, LABELS)
    ResidueTask = every_key("ResidueTask", ResidueSection, RESIDUE_LABELS)

Tasks = Annotated[
    dict[Name, SerializeAsAny[Task]],
    by_kind(Task, LABELS),
    Field(min_length=1, description="labels to be predicted, by name"),
]
ResidueTasks = Annotated[
    dict[Name, SerializeAsAny[ResidueTask]],
    by_kind(ResidueTask, RESIDUE_LABELS),
    Field(min_length=1, description="labels of residues to be predicted, by name"),
]
