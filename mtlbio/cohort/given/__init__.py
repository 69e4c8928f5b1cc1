"""Latents that another model made, from files or from memory, as a cohort."""
