"""The session as an AAF, by pyaaf2; the sounds stay in their own files."""

import gc
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from fractions import Fraction
from math import ceil, floor
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from moksori.config import Decibels
from moksori.dubbing.deliver.clips import COLOURS, Clip, Look, Marker, tracks
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.files import near
from moksori.signal.decoders import Header, inspect, opened
from moksori.timecode import to_frames
from moksori.writing import atomic_path

# AAF's own definitions (AAFOperationDefs.h, AAFParameterDefs.h), by which programs know an audio gain.
_GAIN = "9d2ea894-0968-11d3-8a38-0050040ef7d2"
_AMPLITUDE = "e4962321-2267-11d3-8a4c-0050040ef7d2"
_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}  # of a sample; others are decoded to 32
_FINE = 1_000_000  # denominator of a gain


def write_aaf(
    path: Path,
    clips: Iterable[Clip],
    markers: Sequence[Marker],
    spec: DeliverySpec,
    gain: Decibels,
    waves: Mapping[str, Path],
    home: Path,
) -> None:
    """Write the session: a track a character, with a track of its recordings below, whose gain is 0.

    Tracks are mono: the second channel of a clip lies on a track of its own (`하나 ch2`), and so on. All
    of a clip's channels together sound as in the reel, which has their mean. A converted line has one voice
    on all of its channels, so the first is enough.

    Lines lie to the sample, from the frame that the reel begins in; clips are named by the line's id, and
    coloured and commented as Media Composer does it. AAF has no mute that all programs know, so the
    recordings are silenced by their gain; conversions have the reel's gain. Files are named relative to the
    session's folder where they lie near it.

    Args:
        path: the .aaf.
        clips: with samples of the spec's rate.
        markers: on the time code track, at the nearest frame.
        spec: of the delivery.
        gain: dB of the conversions.
        waves: where the clips' waves are now, by the lines' ids.
        home: folder that the session will lie in.

    Raises:
        OutputError: the place cannot be written to.
    """
    import aaf2

    with atomic_path(path) as temporary, _unswept(), aaf2.open(str(temporary), "w") as file:
        session = _Session(file, spec, waves, home)
        for track in tracks(clips):
            session.add_track(track.name, track.clips, 10 ** (gain / 20), source=False)
            below = [clip for clip in track.clips if clip.source]
            session.add_track(f"{track.name} (source)", below, 0.0, source=True)
        session.add_markers(markers)
        session.settle()


@contextmanager
def _unswept() -> Iterator[None]:
    """Within, Python does not look for garbage: thousands of objects, none of which goes before the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Session:
    """An AAF file in the making."""

    def __init__(
        self, file: Any, spec: DeliverySpec, waves: Mapping[str, Path], home: Path
    ) -> None:
        self._file, self._spec, self._waves, self._home = file, spec, waves, home
        self._mobs: list[
            Any
        ] = []  # of no file until all are done: each addition would walk all others
        self._masters: dict[str, Any] = {}
        self._operation = self._gain_definition()
        self._main = self._mob("CompositionMob", spec.title, "session")
        self._main.usage = "Usage_TopLevel"
        rate = spec.frame_rate
        slot = self._main.create_timeline_slot(rate.fps)
        slot.name = "TC1"
        slot.segment = file.create.Timecode(rate.nominal, drop=rate.drop)
        self._first, self._lead = spec.first_frame
        slot.segment.start = self._first
        slot["PhysicalTrackNumber"].value = 1  # by which programs know the first time code track
        self._timecode = slot
        self._tracks, self._end = 0, 0  # how many there are, and the sample at which the last ends

    def _mob(self, kind: str, name: str, key: str) -> Any:
        """A mob whose number is the same for the same job, and no other's: programs know sounds by it."""
        from aaf2.mobid import MobID

        mob = getattr(self._file.create, kind)(name)
        number = MobID.new()
        number.material = self._number(kind, key)
        mob.mob_id = number
        self._mobs.append(mob)
        return mob

    def _number(self, *names: str) -> uuid.UUID:
        job = self._spec.title, self._spec.date.isoformat()
        return uuid.uuid5(uuid.NAMESPACE_URL, "\0".join((*job, *names)))

    def _gain_definition(self) -> Any:
        create, known = self._file.create, self._file.dictionary
        parameter = create.ParameterDef(_AMPLITUDE, "Amplitude", "", typedef="Rational")
        known.register_def(parameter)
        operation = create.OperationDef(_GAIN, "Mono Audio Gain", "")
        operation.media_kind, operation.number_inputs = "sound", 1
        operation["IsTimeWarp"].value = False
        operation["Bypass"].value = 1
        known.register_def(operation)
        operation.parameters.append(parameter)
        return operation

    def add_track(self, name: str, clips: Sequence[Clip], gain: float, source: bool) -> None:
        """Clips with a gain, and fillers before and between them; a track for each of their channels."""
        heard = [self._heard(clip, source) for clip in clips]
        for number in range(max(map(len, heard), default=1)):
            slot = self._main.create_sound_slot(self._spec.sample_rate)
            slot.name = name if number == 0 else f"{name} ch{number + 1}"
            self._tracks += 1
            slot["PhysicalTrackNumber"].value = self._tracks
            sequence, now = slot.segment, 0
            for clip, channels in zip(clips, heard, strict=True):
                if number >= len(channels):
                    continue
                start = self._lead + clip.start
                if start > now:
                    filler = self._file.create.Filler("sound", start - now)
                    sequence.components.append(filler)
                part = self._clip(clip, channels[number], gain / len(channels), source)
                sequence.components.append(part)
                now = start + clip.samples
            sequence.length = now
            self._end = max(self._end, now)

    def _heard(self, clip: Clip, source: bool) -> Sequence[int]:
        """The channels that a clip is heard of, counted from 1."""
        if source and clip.source_channel is not None:
            return [clip.source_channel + 1]
        if not source:
            return range(1, clip.channels + 1)
        return range(1, len(self._master(clip, source).slots) + 1)

    def _clip(self, clip: Clip, channel: int, gain: float, source: bool) -> Any:
        create = self._file.create
        master = self._master(clip, source)
        begin = round(clip.source_begin * self._spec.sample_rate) if source else 0
        part = master.create_source_clip(channel, begin, clip.samples, "sound")
        group = create.OperationGroup(self._operation, clip.samples, "sound")
        level = create.ConstantValue("Amplitude", Fraction(gain).limit_denominator(_FINE))
        group.parameters.append(level)
        group.segments.append(part)
        if not source:
            self._attributes(group, "ComponentAttributeList", clip.look, {"_COMMENT": clip.text})
        return group

    def _attributes(self, item: Any, name: str, look: Look, texts: dict[str, str]) -> None:
        """What Media Composer keeps beside a component: its colour, in 16 bits, and texts."""
        values: list[tuple[str, str | int, str]]
        values = [(key, text, "aafString") for key, text in texts.items() if text]
        if look:
            shades = zip("RGB", COLOURS[look], strict=True)
            values += [(f"_COLOR_{letter}", shade * 257, "aafInt32") for letter, shade in shades]
        for key, value, kind in values:
            item[name].append(self._file.create.TaggedValue(key, value, kind))

    def _master(self, clip: Clip, source: bool) -> Any:
        """The recording or the conversion of a clip; each file once."""
        recording = clip.source if source and clip.source else self._waves[clip.id]
        url = _url(near(recording, self._home)) if source else quote(clip.wave)
        if url not in self._masters:
            self._masters[url] = self._linked(recording, url)
        return self._masters[url]

    def _linked(self, recording: Path, url: str) -> Any:
        """A master mob whose sound lies in a file of its own, a track a channel; named as that is."""
        create, about = self._file.create, inspect(recording)
        key = f"{url}\0{recording.name}"  # converted anew it is another sound of the same name
        named = PurePosixPath(unquote(url))
        with opened(recording) as (_, _, subtype):
            bits = _BITS.get(subtype, 32)
        wide = about.channels * bits // 8
        descriptor = create.PCMDescriptor()
        for name, value in {
            "Channels": about.channels, "BlockAlign": wide, "SampleRate": about.sample_rate,
            "AverageBPS": about.sample_rate * wide, "QuantizationBits": bits,
            "AudioSamplingRate": about.sample_rate, "Length": about.frames,
            "ContainerFormat": self._file.dictionary.lookup_containerdef("AAF"),
        }.items():  # fmt: skip
            descriptor[name].value = value
        locator = create.NetworkLocator()
        locator["URLString"].value = url
        descriptor["Locator"].append(locator)
        physical = self._mob("SourceMob", named.name, key)
        physical.descriptor = descriptor
        master = self._mob("MasterMob", named.stem, key)
        for channel in range(1, about.channels + 1):
            end = physical.create_empty_slot(about.sample_rate, "sound", channel)
            end.segment.length = about.frames
            slot = master.create_timeline_slot(about.sample_rate, channel)
            slot.segment = physical.create_source_clip(channel, 0, about.frames, "sound")
            for side in (end, slot):
                side["PhysicalTrackNumber"].value = channel
        if about.time_reference:
            self._on_tape(physical, about, key)
        return master

    def _on_tape(self, physical: Any, about: Header, key: str) -> None:
        """Behind a recording the tape of its time code, from which it begins to the sample."""
        rate, create = self._spec.frame_rate, self._file.create
        begin = Fraction(about.time_reference or 0, about.sample_rate)
        first = floor(begin * rate.fps)
        tape = self._mob("SourceMob", physical.name, f"{key}\0tape")
        tape.descriptor = create.TapeDescriptor()
        lead = round((begin - first / rate.fps) * about.sample_rate)
        for end in [*physical.slots]:
            track = tape.create_empty_slot(about.sample_rate, "sound", end.slot_id)
            track["PhysicalTrackNumber"].value = end.slot_id
            track.segment.length = lead + about.frames
            end.segment = tape.create_source_clip(end.slot_id, lead, about.frames, "sound")
        code = tape.create_timeline_slot(rate.fps)
        code.segment = create.Timecode(rate.nominal, drop=rate.drop)
        code.segment.start = first
        code.segment.length = ceil((lead + about.frames) * rate.fps / about.sample_rate)
        code["PhysicalTrackNumber"].value = 1

    def add_markers(self, markers: Sequence[Marker]) -> None:
        """On the time code track."""
        if not markers:
            return
        create, rate = self._file.create, self._spec.frame_rate
        slot = create.EventMobSlot()
        slot.slot_id, slot.edit_rate = max(s.slot_id for s in self._main.slots) + 1, rate.fps
        slot.name = "Markers"
        slot["PhysicalTrackNumber"].value = 1  # of the track that they are on
        sequence = create.Sequence("DescriptiveMetadata")
        for marker in sorted(markers, key=lambda marker: marker.start):
            event = create.DescriptiveMarker()
            event.media_kind = "DescriptiveMetadata"
            at = self._spec.start_timecode + marker.start / self._spec.sample_rate
            event["Position"].value = to_frames(at, rate) - self._first
            event.length = max(1, to_frames(marker.samples / self._spec.sample_rate, rate))
            event["Comment"].value = marker.name
            event["CommentMarkerUser"].value = marker.character or "Moksori"
            event["DescribedSlots"].value = {self._timecode.slot_id}
            red, green, blue = (shade * 257 for shade in COLOURS[marker.look])
            event["CommentMarkerColor"].value = {"red": red, "green": green, "blue": blue}
            sequence.components.append(event)
        slot.segment = sequence
        self._main.slots.append(slot)

    def settle(self) -> None:
        """End the time code, and put the job's date and numbers in the place of now and chance.

        So it gives the same bytes.
        """
        seconds = Fraction(self._end, self._spec.sample_rate)
        self._timecode.segment.length = ceil(seconds * self._spec.frame_rate.fps)
        when: datetime = self._spec.date
        for mob in self._mobs:
            mob["CreationTime"].value = mob["LastModified"].value = when
        self._file.content.mobs.extend(self._mobs)
        self._file.header["LastModified"].value = when
        (about,) = self._file.header["IdentificationList"].value
        values = {"ProductName": "Moksori", "CompanyName": "Moksori", "Date": when,
                  "GenerationAUID": self._number("generation")}  # fmt: skip
        for name, value in values.items():
            about[name].value = value


def _url(path: str) -> str:
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path)
