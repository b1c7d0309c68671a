"""Signals: reading, features, pitch, loudness, Broadcast Wave."""
