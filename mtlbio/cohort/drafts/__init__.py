"""The first draft of a run: what the names and values of columns hint at, said so that a person can correct it."""
