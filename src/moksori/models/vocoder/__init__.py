"""Vocoders: log-mel [B, T, n_mels] to wave [B, T * hop_length]."""
