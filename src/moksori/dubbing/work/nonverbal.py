"""Laughs, cries and screams in the character's voice, and which of them stay as recorded."""

from moksori.conversion.converter import Converter
from moksori.conversion.results import Conversion
from moksori.conversion.room import Floor
from moksori.conversion.treble import Treble
from moksori.dubbing.records import Role
from moksori.dubbing.task import LONGEST
from moksori.errors import AudioError
from moksori.signal.audio import Recording
from moksori.signal.speaker import UNKNOWN, SourceSpeaker

MIN_VOICED = 0.1  # share of voiced frames; with less a sound is a breath, whose voice is nobody's
MIN_VOICED_TO_MATCH = 0.35  # with less `match` leaves it as recorded


def convert_nonverbal(
    converter: Converter,
    recording: Recording,
    role: Role,
    *,
    speaker: SourceSpeaker = UNKNOWN,
    floor: Floor = "room",
    treble: Treble = "take",
) -> Conversion | None:
    """Convert a line without words as its role wants; None where it stays as recorded.

    So it does where the recogniser is off. Breaths stay in any case, and so does what is too short or silent.

    Args:
        converter: of the job.
        recording: of the line.
        role: whose line it is.
        speaker: what is known of the actor; without his mean F0 the sound keeps its own.
        floor: as `Converter.convert`.
        treble: as `Converter.convert`.

    Raises:
        VoiceError: as `Converter.convert`.
    """
    if role.nonverbal == "leave" or converter.recogniser is None:
        return None
    try:
        made = converter.convert(
            recording, None, role.voice, pitch=role.pitch, effort=role.effort, speaker=speaker,
            floor=floor, treble=treble, max_seconds=LONGEST,
        )  # fmt: skip
    except AudioError:
        return None
    voiced = float((made.source_f0 > 0).mean())
    least = MIN_VOICED_TO_MATCH if role.nonverbal == "match" else MIN_VOICED
    return made if voiced >= least else None
