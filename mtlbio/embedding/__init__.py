"""Latents of another model as the rooms that follow know them: ``latents.h5ad``, ``model/``, predictions from them."""
