"""How a script writes its times: frames or decimals, and how long a frame is; asked where nobody says."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from moksori.errors import ScriptError
from moksori.messages import Message, message
from moksori.timecode import FrameRate, Notation, frame_of, hundredths_of

_UNLIKELY = 0.01  # that hundredths of a second happen to be so small that all could be frames
_SEVERAL = 3  # time codes that the rate does not have; fewer are slips of their own rows
_NUMBER = r"(?<![\d.:;])(23\.976|23\.98|29\.97|59\.94|24|25|30|50|60)(?![\d:;]|\.\d)"
_UNIT = r"fps|frames?|프레임(?! *레이트)|f/s"
_DROP = (
    r"ndf|df|(?:non|no)[- ]?drop(?:[- ]?frame)?|drop(?:[- ]?frame)?"
    r"|(?:논|넌) ?드[롭랍](?: ?프레임)?|드[롭랍](?: ?프레임)?"
)
_LABEL = r"fps|frame ?rate|프레임 ?(?:레이트|률|율|수)|time ?base|타임 ?베이스|초당"
_SAID = re.compile(
    rf"(?P<label>{_LABEL})?\W{{0,3}}{_NUMBER} ?(?P<unit>{_UNIT})?\W{{0,3}}(?P<drop>{_DROP})?(?![a-z])"
)
_LABELLED = re.compile(rf"\W*(?:{_LABEL})\W*")
_DROP_ALONE = re.compile(rf"(?<![a-z가-힣])({_DROP})(?![a-z])")
_HINTS = {
    24: ("23.976", "24"), 25: ("25",), 30: ("29.97df", "29.97ndf", "30"), 50: ("50",),
    60: ("59.94df", "59.94ndf", "60"),
}  # fmt: skip
_HINTS_DROP = {30: ("29.97df",), 60: ("59.94df",)}


class Written(NamedTuple):
    """A time as it is written, and where."""

    place: Message
    text: str


class Timing(NamedTuple):
    """How a script writes its times, and what has to be said or asked about it."""

    notation: Notation
    question: Message | None = None  # that must be answered before its times can be used
    warnings: tuple[Message, ...] = ()


def find_timing(
    path: Path,
    times: Sequence[Written],
    asked: FrameRate | None = None,
    titles: Iterable[Sequence[str]] = (),
    decimals: bool = False,
) -> Timing:
    """Find out how times are to be read.

    Args:
        path: of the script.
        times: all that it has, as they are written.
        asked: the frame rate that the user gave.
        titles: rows of cells in which the frame rate may be said: titles, headers, cover sheets.
        decimals: points and commas are known to stand before decimals.
    """
    frames = [(time, *found) for time in times if (found := frame_of(time.text))]
    pointed = [] if decimals else _open(times)
    if not frames and not pointed:
        return Timing(Notation(asked or _only(stated_rates(titles))))
    semicolons = 2 * sum(drop for _, _, drop in frames) > len(frames)
    said, largest = stated_rates(titles), max((frame for _, frame, _ in frames), default=0)
    warnings = []
    if asked is None and len(said) > 1:
        rates = ", ".join(map(str, said))
        return _ask(path, "script.fps_conflict", rates=rates, rate=said[0])
    if asked and said and said != [asked] and not (asked.open and said[0].nominal == asked.nominal):
        warnings.append(message("script.fps_other", file=path, said=said[0], asked=asked))
    rate = asked or _only(said)
    if rate is None and _says_drop(titles) and frames and largest < 60:
        rate = FrameRate.parse("29.97df" if largest < 30 else "59.94df")
    if rate and rate.open:
        says_drop = _says_drop(titles) or any(other.drop for other in said)
        rate = FrameRate(rate.nominal, rate.ntsc, drop=semicolons or says_drop)
    if rate is None:
        return _without_rate(path, frames, pointed, semicolons)
    if not asked:
        warnings.append(message("script.fps_said", file=path, rate=rate))
    fault = _contradiction(path, rate, [(time, frame) for time, frame, _ in frames], semicolons)
    if fault:
        return fault
    values = [value for _, value in pointed]
    as_frames = bool(values) and max(values) < rate.nominal
    if as_frames:
        warnings.append(
            message(
                "script.point_frames", file=path, text=pointed[0][0].text, number=len(values),
                rate=rate,
            )
        )  # fmt: skip
    elif values and (limit := _unlikely(values)):
        return _ask_rate(path, pointed[0][0], max(values), _HINTS[limit], rate)
    return Timing(Notation(rate, as_frames), None, tuple(warnings))


def _open(times: Sequence[Written]) -> list[tuple[Written, int]]:
    """The clocks whose two digits after the point may be frames or hundredths; none if some are 00 alone."""
    found = [(time, value) for time in times if (value := hundredths_of(time.text)) is not None]
    return found if any(value for _, value in found) else []


def _unlikely(values: Sequence[int]) -> int | None:
    """The nominal rate whose frames the values are rather than hundredths; None if they may be either."""
    counted = [value for value in values if value]
    limit = next((rate for rate in _HINTS if max(counted) < rate), None)
    return limit if limit and (limit / 100) ** len(counted) < _UNLIKELY else None


def _likely(limit: int, largest: int, number: int) -> tuple[str, ...]:
    """The rates of which so many frame numbers may be; of few, more than the nearest above the largest."""
    return tuple(
        hint
        for rate, hints in _HINTS.items()
        if limit <= rate <= max(limit, 30)
        and (rate == limit or ((largest + 1) / rate) ** number >= _UNLIKELY)
        for hint in hints
    )


def _without_rate(
    path: Path,
    frames: Sequence[tuple[Written, int, bool]],
    pointed: Sequence[tuple[Written, int]],
    semicolons: bool,
) -> Timing:
    """What is to be asked where nobody said how long a frame is."""
    if frames:
        largest = max(frame for _, frame, _ in frames)
        first = next(time for time, frame, _ in frames if frame == largest)
        limit = next((rate for rate in _HINTS if largest < rate), None)
        if limit is None:
            return Timing(Notation())  # each row's own fault
        hints = (
            _HINTS_DROP.get(max(limit, 30), ())
            if semicolons
            else _likely(limit, largest, len(frames))
        )
        return _ask_rate(path, first, largest, hints)
    values = [value for _, value in pointed]
    largest = max(values)
    first = next(time for time, value in pointed if value == largest)
    if limit := _unlikely(values):
        return _ask_rate(path, first, largest, _HINTS[limit])
    if largest >= max(_HINTS):
        return Timing(Notation())
    notice = message("script.hundredths", file=path, text=first.text, number=len(values))
    return Timing(Notation(), None, (notice,))


def _contradiction(
    path: Path, rate: FrameRate, frames: Sequence[tuple[Written, int]], semicolons: bool
) -> Timing | None:
    """The question, if many time codes cannot be of the rate."""
    if semicolons and not rate.drop:
        first = next(time for time, _ in frames if frame_of(time.text) is not None)
        hints = _HINTS_DROP[60 if rate.nominal > 30 else 30]
        return _ask_rate(path, first, max(frame for _, frame in frames), hints, rate)
    beyond = [(time, frame) for time, frame in frames if frame >= rate.nominal]
    if len(beyond) < _SEVERAL or 10 * len(beyond) < len(frames):
        return None
    first, largest = max(beyond, key=lambda pair: pair[1])
    limit = next((nominal for nominal in _HINTS if largest < nominal), None)
    return _ask_rate(path, first, largest, _HINTS[limit], rate) if limit else None


def _ask_rate(
    path: Path, time: Written, largest: int, hints: Sequence[str], rate: FrameRate | None = None
) -> Timing:
    values = {
        "place": time.place, "text": time.text, "largest": largest,
        "options": " / ".join(f"--fps {hint}" for hint in hints),
        "rates": " / ".join(str(FrameRate.parse(hint)) for hint in hints),  # as a page names them
    }  # fmt: skip
    if rate:
        return _ask(path, "script.fps_wrong", rate=rate, **values)
    pointed = hundredths_of(time.text) is not None
    return _ask(path, "script.fps_or_decimals" if pointed else "script.fps_needed", **values)


def _ask(path: Path, code: str, **values: object) -> Timing:
    return Timing(Notation(asked=True), message(code, file=path, **values))


def stated_rates(titles: Iterable[Sequence[str]]) -> list[FrameRate]:
    """The frame rates that rows of titles say: `29.97 DF`, `FPS: 24`, `TC in (25fps)`; different ones."""
    found: dict[FrameRate, None] = {}
    for row in titles:
        cells = [unicodedata.normalize("NFKC", cell).casefold() for cell in row if cell]
        for before, cell in zip(["", *cells], cells, strict=False):
            labelled = bool(_LABELLED.fullmatch(before))
            for said in _SAID.finditer(cell):
                sure = said["label"] or said["unit"] or said["drop"] or "." in said[2]
                if not sure and not (labelled and said[2] == cell.strip()):
                    continue
                try:
                    rate = FrameRate.parse(said[2] + _drop(said["drop"]))
                except ScriptError:
                    continue  # 24 drop frame is no rate; it is asked
                found[rate] = None
    return [*found]


def _drop(word: str | None) -> str:
    if not word:
        return ""
    return "ndf" if re.match("n|논|넌", word) else "df"


def _says_drop(titles: Iterable[Sequence[str]]) -> bool:
    """Whether a title says drop frame, perhaps without a rate."""
    words = [
        _drop(found[1])
        for row in titles
        for cell in row
        for found in _DROP_ALONE.finditer(unicodedata.normalize("NFKC", cell).casefold())
    ]
    return bool(words) and set(words) == {"df"}


def _only(rates: Sequence[FrameRate]) -> FrameRate | None:
    return rates[0] if len(rates) == 1 else None
