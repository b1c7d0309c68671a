"""Training: one Lightning module a model."""
