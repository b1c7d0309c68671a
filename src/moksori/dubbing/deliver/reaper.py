"""A REAPER session (.rpp): text, a chunk in angle brackets for each track, item and source."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from pathlib import Path

from moksori.config import Decibels
from moksori.dubbing.deliver.clips import COLOURS, Clip, Look, Marker, tracks
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.files import near
from moksori.signal import ffmpeg
from moksori.writing import atomic_write

# Of sources; else WAVE. What REAPER too has a decoder of videos for is VIDEO, also without a picture.
_KINDS = dict.fromkeys(ffmpeg.DEMUXERS, "VIDEO")
_KINDS |= {".flac": "FLAC", ".mp3": "MP3", ".ogg": "VORBIS", ".opus": "VORBIS"}
# An item's channel modes: the mean of the first two, the left one alone; those after it follow.
_MEAN, _CHANNEL = 2, 3
_CUSTOM = 0x1000000  # a colour is one's own


def write_rpp(
    path: Path,
    clips: Iterable[Clip],
    markers: Sequence[Marker],
    spec: DeliverySpec,
    gain: Decibels,
    home: Path,
) -> None:
    """Write a session: a track a character, with a muted track of its recordings below.

    Lines lie to the sample (times have nine decimals). Items are named by the line's id and coloured by
    what is to be looked at; the text is in their notes. Tracks have the reel's gain, to be as loud.
    Waves are named relative to the session's folder, recordings too where they lie near it. What has been
    passed in stereo is played in mono, by the mean of its channels, as the reel has it.

    Args:
        path: the .rpp.
        clips: with samples of the spec's rate.
        markers: become REAPER's markers.
        spec: of the delivery.
        gain: dB of the conversions' tracks.
        home: folder that the session will lie in.

    Raises:
        OutputError: the place cannot be written to.
    """
    rows = [
        f'<REAPER_PROJECT 0.1 "7.0/moksori" {round(spec.date.replace(tzinfo=UTC).timestamp())}',
        "  RIPPLE 0",
        f"  PROJOFFS {spec.start_timecode:.9f} 0 0",
        f"  SAMPLERATE {spec.sample_rate} 1 0",
        "  TEMPO 120 4 4",
    ]
    for number, marker in enumerate(sorted(markers, key=lambda m: m.start), 1):
        at = marker.start / spec.sample_rate
        rows.append(
            f"  MARKER {number} {at:.9f} {_quoted(marker.name)} 0 {_colour(marker.look)} 1 B "
            f"{_guid(path.name, 'marker', marker.id)} 0"
        )
    for track in tracks(clips):
        volume = 10 ** (gain / 20)
        rows += _track(track.name, volume, False, _items(track.clips, spec, home, False), path.name)
        source = f"{track.name} (source)"
        below = [clip for clip in track.clips if clip.source]
        rows += _track(source, 1.0, True, _items(below, spec, home, True), path.name)
    atomic_write(path, "\n".join([*rows, ">", ""]))


def _track(
    name: str, volume: float, muted: bool, items: Iterable[str], session: str
) -> Iterator[str]:
    guid = _guid(session, "track", name)
    yield f"  <TRACK {guid}"
    yield f"    NAME {_quoted(name)}"
    yield f"    VOLPAN {volume:.9f} 0 -1 -1 1"
    yield f"    MUTESOLO {int(muted)} 0 0"
    yield f"    TRACKID {guid}"
    yield "    MAINSEND 1 0"
    yield from items
    yield "  >"


def _items(clips: Iterable[Clip], spec: DeliverySpec, home: Path, source: bool) -> Iterator[str]:
    """Of the conversions, or of the recordings that they come from."""
    for clip in clips:
        file = near(clip.source, home) if source and clip.source else clip.wave
        yield "    <ITEM"
        yield f"      POSITION {clip.start / spec.sample_rate:.9f}"
        yield f"      LENGTH {clip.samples / spec.sample_rate:.9f}"
        yield "      LOOP 0"
        if clip.look and not source:
            yield f"      COLOR {_colour(clip.look)} B"
        yield f"      NAME {_quoted(clip.id)}"
        yield f"      SOFFS {clip.source_begin if source else 0:.9f}"
        if source and clip.source_channel is not None:
            yield f"      CHANMODE {_CHANNEL + clip.source_channel}"
        if not source and clip.channels > 1:
            yield f"      CHANMODE {_MEAN}"
        yield f"      GUID {_guid(clip.id, 'source' if source else 'item')}"
        yield "      <NOTES"
        yield f"        |{_on_a_line(clip.text)}"
        yield "      >"
        yield f"      <SOURCE {_KINDS.get(Path(file).suffix.lower(), 'WAVE')}"
        yield f"        FILE {_quoted(file)}"
        yield "      >"
        yield "    >"


def _colour(look: Look) -> int:
    """As REAPER writes it: blue, green, red, from the highest byte."""
    red, green, blue = COLOURS[look]
    return _CUSTOM | blue << 16 | green << 8 | red


def _quoted(text: str) -> str:
    """In whichever quotes it does not hold; of one that holds all three, ` becomes '."""
    line = _on_a_line(text)
    mark = next((mark for mark in "\"'`" if mark not in line), "`")
    return mark + (line.replace("`", "'") if mark == "`" else line) + mark


def _on_a_line(text: str) -> str:
    return " ".join(text.split())


def _guid(*names: str) -> str:
    """The same for the same job."""
    return f"{{{str(uuid.uuid5(uuid.NAMESPACE_URL, chr(0).join(names))).upper()}}}"
