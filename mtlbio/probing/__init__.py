"""The trial of every latent dimension: audit, association, ablation, enrichment, stability, verdict."""
