"""The encoders of chains by name, one line each. No torch here: the run description offers these names."""

from __future__ import annotations

ENCODERS: dict[str, str] = {
    "cnn": "residual dilated convolutions",
    "lstm": "bidirectional LSTM behind two convolutions",
    "transformer": "self-attention with rotary positions",
}
