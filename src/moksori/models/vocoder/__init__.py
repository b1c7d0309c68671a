"""Vocoders: log-mel [B, T, n_mels] and F0 [B, T] to a wave; `VOCODER_KINDS` is where one is registered."""

from moksori.models.vocoder.base import Vocoder
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.models.vocoder.two_band import TwoBand

VOCODER_KINDS: dict[str, type[Vocoder]] = {kind.kind: kind for kind in (SourceFilter, TwoBand)}

__all__ = ["VOCODER_KINDS", "Vocoder"]
