"""What the YAML of every run has, whatever its kind."""

from typing import Annotated

from pydantic import Field

from mtlbio.section import Section


class Run(Section):
    """One run: its name and its kind; each kind adds the sections that it needs."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)] = Field(
        description="name; results go to `results/<run>`"
    )
    kind: str = Field(description="what kind of run")
