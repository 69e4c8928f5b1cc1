"""The shared-encoder network: encoders, heads, canonical axes, and the trained ensemble on disk."""
