"""Whoever fills a seam reads ``help()``: every public attribute stands in the Attributes section of its class."""

import inspect
import re

import pytest

from mtlbio.kinds.base import Kind, OnPage, Simulation
from mtlbio.labels import Label


@pytest.mark.parametrize("seam", [Label, Kind, OnPage, Simulation])
def test_every_public_attribute_is_described_once(seam):
    section = inspect.getdoc(seam).partition("Attributes\n----------\n")[2]
    described = [name for names in re.findall(r"^(\w[\w, ]*) : ", section, re.M) for name in names.split(", ")]
    assert sorted(described) == sorted(name for name in seam.__annotations__ if not name.startswith("_"))
