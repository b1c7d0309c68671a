"""Places to go to, as marker lists: Pro Tools' session text, and a table for Nuendo and any sheet."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from moksori.dubbing.deliver.clips import Marker
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.formulas import no_formula
from moksori.writing import atomic_write

_FORMATS = {  # of Pro Tools, by the frames that a second of the time code counts; NTSC's own below
    24: "24 Frame", 25: "25 Frame", 30: "30 Frame", 50: "50 Frame", 60: "60 Frame",
}  # fmt: skip
_NTSC = {24: "23.976 Frame", 30: "29.97 Frame", 60: "59.94 Frame"}
_COLUMNS = ("number", "name", "start", "end", "length", "character", "comment")


def write_marker_text(path: Path, markers: Sequence[Marker], spec: DeliverySpec) -> None:
    """Write markers as Pro Tools lists them in “Session Info as Text”.

    Args:
        path: the .txt.
        markers: in any order.
        spec: of the delivery.

    Raises:
        ScriptError: a marker behind the last time code of a day.
        OutputError: the place cannot be written to.
    """
    rate = spec.frame_rate
    frames = (_NTSC if rate.ntsc else _FORMATS)[rate.nominal]
    rows = [
        f"SESSION NAME:\t{_cell(spec.title)}",
        f"SAMPLE RATE:\t{spec.sample_rate:.6f}",
        "BIT DEPTH:\t24-bit",
        f"SESSION START TIMECODE:\t{spec.timecode(0.0)}.00",
        f"TIMECODE FORMAT:\t{frames.replace(' Frame', ' Drop Frame') if rate.drop else frames}",
        "# OF AUDIO TRACKS:\t0", "# OF AUDIO CLIPS:\t0", "# OF AUDIO FILES:\t0", "", "",
        "M A R K E R S  L I S T I N G",
        "#   \tLOCATION     \tTIME REFERENCE    \tUNITS    \tNAME                             \tCOMMENTS",
    ]  # fmt: skip
    for number, marker in enumerate(sorted(markers, key=lambda m: m.start), 1):
        place = spec.timecode(marker.start / spec.sample_rate)
        rows.append(
            f"{number:<4}\t{place}\t{marker.start:<18}\tSamples  \t{_cell(marker.id)}\t"
            f"{_cell(marker.note)}"
        )
    atomic_write(path, "\n".join([*rows, ""]))


def write_marker_table(path: Path, markers: Sequence[Marker], spec: DeliverySpec) -> None:
    """Write markers as a CSV: Nuendo's marker import asks which column is what.

    Args:
        path: the .csv.
        markers: in any order.
        spec: of the delivery.

    Raises:
        ScriptError: a marker behind the last time code of a day.
        OutputError: the place cannot be written to.
    """
    content = io.StringIO(newline="")
    table = csv.writer(content)
    table.writerow(_COLUMNS)
    for number, marker in enumerate(sorted(markers, key=lambda m: m.start), 1):
        begin, seconds = (n / spec.sample_rate for n in (marker.start, marker.samples))
        end = spec.script_timecode(spec.start_timecode + begin + seconds)
        ends = spec.timecode(begin), end
        texts = [no_formula(text) for text in (marker.character, marker.note)]
        table.writerow([number, no_formula(marker.id), *ends, f"{seconds:.3f}", *texts])
    atomic_write(path, content.getvalue().encode("utf-8-sig"))


def _cell(text: str) -> str:
    return " ".join(text.split())
