"""The one conversion path: a recording and its line in, the same acting in another voice out.

The command line, dubbing jobs, the evaluation and Studio all call `Converter.convert`.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch

from moksori.alignment.alignment import Alignment
from moksori.config import MAX_EFFORT, Decibels, Seconds, Semitones
from moksori.conversion.effort import with_effort
from moksori.conversion.listening import nonverbal_audio, with_envelope
from moksori.conversion.loaded import LoadedModels
from moksori.conversion.results import AlignedLine, Clock, Conversion
from moksori.conversion.room import Floor
from moksori.conversion.speech import Speech, cut_speech, place
from moksori.conversion.treble import Treble, with_treble
from moksori.conversion.voices import Target
from moksori.errors import CheckpointError, ConfigError, VoiceError
from moksori.models.conversion import DECODINGS, Batch
from moksori.models.layers import with_weights
from moksori.signal import audio as audio_files
from moksori.signal import features
from moksori.signal.audio import Recording
from moksori.signal.pitch import f0 as f0_of
from moksori.signal.pitch import mean_log_f0, shift_f0
from moksori.signal.speaker import (
    UNKNOWN,
    BandEnergy,
    SourceSpeaker,
    band_energy,
    joined_energy,
)
from moksori.signal.treble import TrebleLevels
from moksori.text import Reading
from moksori.text.pace import check_pace
from moksori.text.symbols import PUNCTUATION

MAX_SECONDS: Seconds = 30.0
MAX_PITCH: Semitones = 12.0
MIN_CONFIDENCE = 0.5  # under it a line should be looked at; see docs/figures.md


class Source(NamedTuple):
    """What is measured of a recording alone, whatever it is converted to."""

    f0: np.ndarray  # [T] Hz, 0 where unvoiced, on the frames that `convert` works on
    energy: BandEnergy


class Converter(LoadedModels):
    """A conversion model and a vocoder, joined; several threads may use one at once.

    >>> converter = Converter.from_pretrained()
    >>> converter.convert("line.wav", "밥은 먹었어?", "lmy").save("out.wav")  # doctest: +SKIP
    """

    quick = True

    def align(
        self,
        recording: Recording | Path | str,
        text: str,
        *,
        max_seconds: Seconds = MAX_SECONDS,
        spell: bool = False,
        lexicon: Path | str | None = None,
    ) -> AlignedLine:
        """Only align a recording with its text, by both aligners where the model has two.

        `convert` aligns in the same way, by the model's own aligner alone.

        Raises:
            AudioError, TextError: as `convert`.
        """
        reading = self._reading(text, spell, lexicon)
        recording = self._read(recording, max_seconds)
        speech = cut_speech(recording, self.card.audio)
        check_pace(reading, features.samples_to_seconds(len(speech.wave), self.card.audio))
        numbers, mel = (
            self.front_end.ids(reading.phones),
            features.log_mel(speech.wave, self.card.audio),
        )
        line = self.on_device(
            torch.tensor([numbers]), torch.tensor([len(numbers)]),
            mel[None], torch.tensor([len(mel)]),
        )  # fmt: skip
        with torch.inference_mode():
            aligned, second = self.model.align(*line), self.model.second_opinion(*line)
        alignment = self._alignment(aligned.alignment, aligned.log_alignment, reading, speech)
        if second is not None:
            alignment = replace(alignment, second=second[0].cpu().numpy())
        return AlignedLine(alignment, mel.numpy(), recording.seconds, self.card.audio)

    def convert(
        self,
        recording: Recording | Path | str,
        text: str | None,
        voice: str,
        *,
        pitch: Semitones = 0.0,
        effort: float = 1.0,
        speaker: SourceSpeaker = UNKNOWN,
        source_f0: np.ndarray | None = None,
        floor: Floor = "room",
        treble: Treble = "take",
        lower: Decibels = 0.0,
        max_seconds: Seconds = MAX_SECONDS,
        spell: bool = False,
        lexicon: Path | str | None = None,
    ) -> Conversion:
        """Convert a recorded line to another voice; its timing, F0 contour and level are kept.

        The same input gives the same output, with as many threads of PyTorch. All channels of the output hold
        the converted mix of the source's channels; in pauses and around the speech each keeps its own room
        tone.

        Args:
            recording: a file of any sample rate, width and channel count, or one already read.
            text: what is said in it; None for what has no words, such as a laugh (see `listening.py`).
            voice: name of a voice of the model.
            pitch: semitones above the voice's own mean F0; below, if negative.
            effort: 1 keeps how much more or less vocal effort than usual the line has, 0 takes it away, up to
                1.5 exaggerates it; without `speaker.energy` there is nothing to compare with.
            speaker: of the source, as `Converter.speaker` gives; then a line said higher or with more effort
                than usual stays so. By default each line is put at the voice's mean, at its usual
                effort; what has no text then keeps its own F0.
            source_f0: [T] of this recording, as `Converter.source` gives, if it is known already; of what has
                no text it is tracked anew, up to where screams go.
            floor: what lies in pauses and around the speech: the take's own room tone, or digital silence.
            treble: what sounds above the mel's top: what the vocoder predicts, at the take's own levels by
                band and time; the prediction alone, which it also is where the take holds none; or nothing.
            lower: by how many dB at least the result is lowered, as another part of the same line was.
            max_seconds: limit of the recording's length; memory grows with it.
            spell: read English words that are not in the dictionary letter by letter.
            lexicon: a show's own readings, as `moksori.text.lexicon.load_lexicon`.

        Raises:
            AudioError: a recording that cannot be read, is silent, too short or too long.
            TextError: a text that cannot be read aloud, or that plainly is not this recording's.
            LexiconError: a lexicon with a row that cannot be right.
            VoiceError: an unknown voice, a pitch more than an octave from its mean, an effort out of range.
            ConfigError: no such floor or treble, a `lower` that would raise the result.
            CheckpointError: no text, and the recogniser is off.
        """
        if not abs(pitch) <= MAX_PITCH:
            raise VoiceError.of("voice.pitch", limit=MAX_PITCH, pitch=pitch)
        if not 0 <= effort <= MAX_EFFORT:
            raise VoiceError.of("voice.effort", limit=MAX_EFFORT, effort=effort)
        for name, value, known in (
            ("floor", floor, get_args(Floor)), ("treble", treble, get_args(Treble)),
        ):  # fmt: skip
            if value not in known:
                raise ConfigError.of(
                    "convert.choice", name=name, value=value, known=", ".join(known)
                )
        if not 0 <= lower < np.inf:
            raise ConfigError.of("convert.lower", lower=lower)
        audio, clock = self.card.audio, Clock()
        target, listener = self.target(voice), None
        reading = None if text is None else self._reading(text, spell, lexicon)
        if reading is None and (listener := self.listener) is None:
            raise CheckpointError.of("recogniser.off")
        clock.stop("text")
        recording = self._read(recording, max_seconds)
        speech = cut_speech(recording, self.card.audio)
        if reading:
            check_pace(reading, features.samples_to_seconds(len(speech.wave), audio))
        clock.stop("read")
        source_mel = features.log_mel(speech.wave, audio)
        if reading is None:  # a scream goes higher than what `source` gives
            source_f0 = f0_of(speech.wave, nonverbal_audio(audio))
        elif source_f0 is None or len(source_f0) != len(source_mel):
            source_f0 = f0_of(speech.wave, audio)
        own_f0 = torch.from_numpy(np.asarray(source_f0, dtype=np.float32))
        clock.stop("features")
        usual = speaker.mean_log_f0 or (None if reading else target.voice.log_f0_mean)
        f0 = shift_f0(own_f0, target.voice.log_f0_mean, pitch, usual)
        energy = band_energy(source_mel, own_f0)
        heard = listener.reading(source_mel) if listener else reading
        assert heard is not None
        mel, alignment = self._convert_frames(source_mel, f0, heard, speech, target)
        mel = with_effort(mel, own_f0, energy, speaker.energy, target.voice.energy, effort)
        if reading is None:
            mel = with_envelope(mel, source_mel)
        clock.stop("conversion")
        wave = self.synthesise(mel, f0, target.voice.treble)
        if not np.isfinite(wave).all():
            raise CheckpointError.of("convert.not_finite")
        clock.stop("vocoder")
        wave, treble, band = with_treble(
            wave, treble, recording, speech, vocoder=self.vocoder, f0=f0, take_f0=own_f0,
            usual=target.voice.treble,
        )  # fmt: skip
        clock.stop("treble")
        sample_rate = self.vocoder.sample_rate
        samples, lowered = place(wave, sample_rate, speech, recording, audio, floor, lower)
        clock.stop("place")
        begin = features.samples_to_seconds(speech.start, audio)
        end = begin + features.frames_to_seconds(len(mel), audio)
        return Conversion(
            samples=samples, sample_rate=recording.sample_rate, subtype=recording.subtype,
            voice=target.voice, alignment=alignment, source_mel=source_mel.numpy(), mel=mel.numpy(),
            source_f0=own_f0.numpy(), audio=audio, speech=(begin, end), lowered=lowered,
            band=band, treble=treble,
            seconds_by_stage=clock.stages,
        )  # fmt: skip

    def synthesise(
        self, mel: torch.Tensor, f0: torch.Tensor, treble: TrebleLevels | None = None
    ) -> np.ndarray:
        """The vocoder's wave [n] of a log-mel [T, n_mels] and its F0 [T], at the vocoder's sample rate.

        `treble` are the voice's usual levels above the mel, where they are known.

        Raises:
            CheckpointError: a vocoder of somebody's own that gives another shape than its contract says.
        """
        levels = torch.tensor([treble or (torch.nan,) * 3])
        with torch.inference_mode():
            given = self.on_device(mel[None], f0[None], levels)
            made = self.vocoder(*given)
        if [*made.shape] != (wanted := [1, len(mel) * self.vocoder.hop_length]):
            kind = self.vocoder.kind
            raise CheckpointError.of("convert.wave", kind=kind, got=[*made.shape], wanted=wanted)
        wave: np.ndarray = made[0].cpu().numpy()
        return wave

    def source(
        self, recording: Recording | Path | str, max_seconds: Seconds = MAX_SECONDS
    ) -> Source:
        """F0 of a recording's speech, and its energy by band.

        Raises:
            AudioError: as `convert`.
        """
        audio = self.card.audio
        speech = cut_speech(self._read(recording, max_seconds), audio)
        f0 = f0_of(speech.wave, audio)
        mel = features.log_mel(speech.wave, audio)
        return Source(f0, band_energy(mel, torch.from_numpy(f0)))

    def speaker(self, sources: Iterable[Source]) -> SourceSpeaker:
        """What is known of a speaker from several of his recordings, for `convert`."""
        parts = [*sources]
        voiced = np.concatenate([part.f0 for part in parts]) if parts else np.zeros(0)
        return SourceSpeaker(
            mean_log_f0=mean_log_f0(torch.from_numpy(voiced)),
            energy=joined_energy(part.energy for part in parts),
        )

    def _reading(self, text: str, spell: bool, lexicon: Path | str | None) -> Reading:
        return self.front_end.read(text, spell, None if lexicon is None else Path(lexicon))

    def _read(self, recording: Recording | Path | str, max_seconds: Seconds) -> Recording:
        if not isinstance(recording, Recording):
            return audio_files.read(Path(recording), max_seconds)
        audio_files.check(recording, max_seconds)
        return audio_files.without_offset(recording)

    def _convert_frames(
        self,
        mel: torch.Tensor,
        f0: torch.Tensor,
        reading: Reading,
        speech: Speech,
        target: Target,
    ) -> tuple[torch.Tensor, Alignment]:
        """Converted log-mel [T, n_mels], and which phone each frame belongs to."""
        numbers = self.front_end.ids(reading.phones)
        phones, length, source, frames, pitch, row = self.on_device(
            torch.tensor([numbers]), torch.tensor([len(numbers)]), mel[None],
            torch.tensor([len(mel)]), f0[None], torch.tensor([target.row]),
        )  # fmt: skip
        batch = Batch(phones, length, source, frames, pitch, row)
        own = {name: weight.to(self.device) for name, weight in target.weights.items()}
        with torch.inference_mode():
            converted = with_weights(self.model, own)(batch, None, DECODINGS)
        alignment = self._alignment(converted.alignment, converted.log_alignment, reading, speech)
        return converted.mel[0].cpu(), alignment

    def _alignment(
        self, weights: torch.Tensor, log_posterior: torch.Tensor, reading: Reading, speech: Speech
    ) -> Alignment:
        audio = self.card.audio
        return Alignment(
            weights=weights[0].cpu().numpy(),
            posterior=log_posterior[0].exp().cpu().numpy(),
            phones=reading.phones,
            frame=features.frames_to_seconds(1, audio),
            begin=features.samples_to_seconds(speech.start, audio),
            words=tuple(word.strip(PUNCTUATION) for word in reading.normalized.split()),
        )
