"""Corpora in: readers of their layouts, and the preparation that all of them share."""
