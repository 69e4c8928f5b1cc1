"""An encoder by name."""

from importlib import import_module

from mtlbio.choices.encoders import ENCODERS
from mtlbio.errors import InputError, listing
from mtlbio.model.encoders.base import REGISTERED, Encoder, Shape


def make_encoder(name: str, features: int, shape: Shape) -> Encoder:
    """A fresh encoder, of the class in the file of that name.

    Raises
    ------
    InputError
        The name is none of :data:`mtlbio.choices.encoders.ENCODERS`.
    """
    if name not in ENCODERS:
        raise InputError(f"training.encoder: no encoder {name!r}; valid: {listing(ENCODERS)}")
    import_module(f"mtlbio.model.encoders.{name}")
    return REGISTERED[name](features, shape)
