"""Vocoders: log-mel [B, T, n_mels] and F0 [B, T] to wave [B, T * hop_length]."""
