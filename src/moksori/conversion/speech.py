"""A recording's speech on its way in and out: cut and levelled for the models, placed again at the end."""

from typing import NamedTuple

import numpy as np

from moksori.config import AudioConfig, Decibels, Seconds
from moksori.conversion.room import Floor, with_room_tone
from moksori.errors import AudioError
from moksori.signal import audio as audio_files
from moksori.signal import features, levels
from moksori.signal.audio import Recording

_FADE: Seconds = 0.005  # at both ends of the speech, against clicks


class Speech(NamedTuple):
    """The speech within a recording, as the models hear it."""

    wave: np.ndarray  # at the model's sample rate and level, a whole number of frames
    start: int  # sample of the recording, at the model's sample rate, that it begins at
    level: Decibels  # LUFS that it had
    gain: float  # that brought it to the model's level


def cut_speech(recording: Recording, audio: AudioConfig) -> Speech:
    """The part of a recording that the models hear.

    Raises:
        AudioError: hardly any sound in it.
    """
    wave = audio_files.resample(recording.mono, recording.sample_rate, audio.sample_rate)
    start, end = levels.speech_bounds(wave, audio.sample_rate, noise=recording.noise)
    if end - start < audio.n_fft:
        held = features.samples_to_seconds(end - start, audio)
        raise AudioError.of("audio.little_sound", seconds=held)
    wave = wave[start : end + -(end - start) % audio.hop_length]
    wave = np.pad(wave, (0, -len(wave) % audio.hop_length)).astype(np.float32)
    level = levels.loudness(wave, audio.sample_rate)
    gain = levels.gain_from(level, audio.loudness)
    return Speech(wave * np.float32(gain), start, level, gain)


def place(
    wave: np.ndarray,
    sample_rate: int,
    speech: Speech,
    recording: Recording,
    audio: AudioConfig,
    floor: Floor,
    lower: Decibels = 0.0,
) -> tuple[np.ndarray, Decibels]:
    """A converted wave [m] at the source's level, rate, channels, place and exact length.

    Args:
        wave: of the speech.
        sample_rate: of it, Hz.
        speech: of the source.
        recording: the source.
        audio: of the models.
        floor: what lies in pauses and around the speech.
        lower: by how many dB at least the speech is lowered.

    Returns:
        [n, channels], and by how many dB it was lowered so as not to clip.
    """
    start = round(speech.start * sample_rate / audio.sample_rate)
    wave = wave * levels.gain_to(wave, sample_rate, speech.level)
    fade = np.linspace(0, 1, round(_FADE * sample_rate), dtype=np.float32)
    wave[: len(fade)] *= fade
    wave[-len(fade) :] *= fade[::-1]
    total = -(-len(recording.samples) * sample_rate // recording.sample_rate)
    line = np.zeros(max(total, start + len(wave)), dtype=np.float32)
    line[start : start + len(wave)] = wave
    line = audio_files.resample(line, sample_rate, recording.sample_rate)
    n, channels = recording.samples.shape
    line = np.pad(line, (0, max(0, n - len(line))))[:n]
    line, lowered = levels.fit_peak(line, lower)
    if floor == "silence":
        return np.repeat(line[:, None], channels, axis=1), lowered
    bounds = (start, start + len(wave))
    begin, end = (round(x * recording.sample_rate / sample_rate) for x in bounds)
    samples = with_room_tone(line, recording.samples, recording.sample_rate, (begin, end))
    return samples, lowered
