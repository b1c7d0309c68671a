"""Measures of conversions, and the models that judge them."""
