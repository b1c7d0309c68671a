"""What a delivery has to be."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from moksori.config import Seconds
from moksori.messages import Lang, Message
from moksori.signal.loudness import PREMIX, TARGETS, LoudnessTarget
from moksori.timecode import NTSC_DROP, FrameRate, format_timecode, from_frames, to_frames

Stems = Literal["parts", "full"]


@dataclass(frozen=True, kw_only=True)
class DeliverySpec:
    """What a delivery has to be; every deliverable is written by it.

    Attributes:
        title: of the job.
        date: of the script, in all files, so that the same job gives the same bytes.
        script: its file's name.
        start_timecode: of the reel's first sample, after midnight.
        length: of the reel at least.
        frame_rate: of the time codes.
        sample_rate: of reel and stems, Hz.
        loudness: target of the reel.
        stems: `parts`: a file for each stretch of a character's lines; `full`: one as long as the reel.
        lang: of report, retakes and issues.
        language: that is dubbed, BCP 47.
        original_language: that it was dubbed from; empty if nobody said.
        terms: model, vocoder and recogniser with their licences, the consents, and what they allow.
        proof: how delivered files prove what they are.
        without: names of deliverables that are left out.
    """

    title: str
    date: datetime
    script: str = ""
    start_timecode: Seconds = 0.0
    length: Seconds = 0.0
    frame_rate: FrameRate = NTSC_DROP
    sample_rate: int = 48000
    loudness: LoudnessTarget = TARGETS["korea"]
    stems: Stems = "parts"
    lang: Lang = "ko"
    language: str = "ko"
    original_language: str = ""
    terms: tuple[Message, ...] = ()
    proof: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def timecode(self, time: Seconds) -> str:
        """Time code of a place on the reel.

        Raises:
            ScriptError: after the day that time codes have.
        """
        return format_timecode(self.start_timecode + time, self.frame_rate)

    def has_timecode(self, time: Seconds) -> bool:
        """Whether a place on the reel has one: there are none beyond midnight."""
        frame = to_frames(self.start_timecode + time, self.frame_rate)
        return 0 <= frame < self.frame_rate.frames_a_day

    def name_code(self, time: Seconds) -> str:
        """Time code of a place on the reel as file names have it: 01.00.10.12."""
        return re.sub("[:;]", ".", self.timecode(time))

    @property
    def premix(self) -> bool:
        """Whether it is Netflix's premix, whose files have their time code in their names."""
        return self.loudness.name == PREMIX

    def script_timecode(self, time: Seconds | None) -> str:
        """A time of the script as a time code; "" where it has none.

        Subtitles that stay until the end are over at 23:59:59,999: that is the day's last frame.
        """
        if time is None:
            return ""
        last = self.frame_rate.frames_a_day - 1
        return self.frame_rate.code(min(to_frames(time, self.frame_rate), last))

    def sample(self, time: Seconds) -> int:
        """The sample nearest to a place on the reel."""
        return round(time * self.sample_rate)

    @property
    def first_frame(self) -> tuple[int, int]:
        """The frame that the reel begins in, and how many samples of it are over by then."""
        start, rate = self.sample(self.start_timecode), self.frame_rate
        frame = to_frames(self.start_timecode, rate)
        if self.sample(from_frames(frame, rate)) > start:
            frame -= 1
        return frame, start - self.sample(from_frames(frame, rate))

    def reference(self, time: Seconds, rate: int) -> int:
        """The time reference of a place on the reel, in samples of `rate` since midnight.

        At the reel's rate it is counted from the reel's first sample, so that what is laid at its reference
        lies as on the reel; at another it is the sample nearest to its time, as on a track of that rate.
        """
        if rate == self.sample_rate:
            return self.sample(self.start_timecode) + self.sample(time)
        return round((self.start_timecode + time) * rate)

    @property
    def frames_a_second(self) -> str:
        """As a fraction: 30000/1001."""
        fps = self.frame_rate.fps
        return f"{fps.numerator}/{fps.denominator}"
