"""The encoders of chains by name, one line each; ``mtlbio/model/encoders/<name>.py`` holds the network."""

from __future__ import annotations

ENCODERS: dict[str, str] = {
    "cnn": "residual dilated convolutions",
    "lstm": "bidirectional LSTM behind two convolutions",
    "transformer": "self-attention with rotary positions",
}
