"""What people use today to read latent factors, each with the translation of its answer into verdicts."""
