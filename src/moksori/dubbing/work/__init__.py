"""A take to its outcome."""
