"""The encoders of chains by name, one line each; ``mtlbio/model/encoders/<name>.py`` holds the network."""

from typing import TYPE_CHECKING, Literal

ENCODERS: dict[str, str] = {
    "cnn": "residual dilated convolutions",
    "lstm": "bidirectional LSTM behind two convolutions",
    "transformer": "self-attention with rotary positions",
}

if TYPE_CHECKING:  # the names are known when the module is read
    EncoderName = str
else:
    EncoderName = Literal[tuple(ENCODERS)]
