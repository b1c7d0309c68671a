"""Scripts as studios keep them, read to lines."""
