"""What was read and measured in one check, so that the next need not do it again.

OUT/.moksori/heard.sqlite    what was measured of the recordings, for the next process; may be deleted
"""

import json
import os
import sqlite3
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from moksori.config import Seconds
from moksori.conversion.converter import Converter, Source
from moksori.dubbing.plan.channels import mixing
from moksori.dubbing.records import Take
from moksori.dubbing.request import Request
from moksori.dubbing.task import LONGEST, Setup, read_take
from moksori.errors import AudioError
from moksori.files import relative
from moksori.messages import Message
from moksori.script.content import ScriptContent
from moksori.script.script import read_script
from moksori.signal import levels
from moksori.signal.speaker import BandEnergy

HEARD = "heard.sqlite"
_FORMAT = 2  # raised when a recording would be measured otherwise
_SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (
    take TEXT PRIMARY KEY, state TEXT NOT NULL, digest TEXT NOT NULL, speech REAL NOT NULL,
    f0 BLOB, energy TEXT, coarse TEXT NOT NULL);
"""


class MeasuredTake(NamedTuple):
    """What is measured of a take's recording alone."""

    digest: str
    speech: Seconds  # how long it is
    source: Source | None  # as `Heard`
    coarse: Message | None = None  # that it is quiet for the steps of its format
    mixed: Message | None = None  # as `mixing`


_Take = tuple[Path, int, int, int | None]  # file, first sample, samples, channel
_State = tuple[
    Any, ...
]  # of the file and of what measures it; where it differs all is measured anew


class Memory:
    """What was loaded, read and measured; what has changed since is done again.

    A file that has the same size and times is taken for the same. Whatever is made of a recording looks at
    its samples again, so that one which slips through is reported by the conversion.
    """

    def __init__(self) -> None:
        self._converters: dict[Setup, Converter] = {}
        self._scripts: dict[tuple[Any, ...], ScriptContent] = {}
        self._measured: dict[_Take, tuple[_State, MeasuredTake]] = {}
        self._kept: dict[_Take, _State] = {}
        self._used: set[_Take] = set()  # of the job
        self._home: Path | None = None

    def converter(self, setup: Setup) -> Converter:
        """As `Setup.converter`."""
        models = Setup(
            model=setup.model, vocoder=setup.vocoder, packs=setup.packs,
            recogniser=setup.recogniser, usage=setup.usage,
        )  # fmt: skip
        if models not in self._converters:
            self._converters = {models: models.converter()}
        return self._converters[models]

    def script(self, request: Request) -> ScriptContent:
        """The script as it is asked for.

        Raises:
            ScriptError: as `read_script`.
        """
        read = partial(
            read_script, request.script, columns=request.columns, frame_rate=request.frame_rate,
            episode=request.episode, hidden=request.hidden,
        )  # fmt: skip
        state = _state(request.script)
        if state is None:
            return read()
        columns = tuple(sorted((request.columns or {}).items()))
        key = (
            request.script, *state, columns, request.frame_rate, request.episode, request.hidden
        )  # fmt: skip
        if key not in self._scripts:
            self._scripts = {key: read()}
        return self._scripts[key]

    def measured(self, take: Take, converter: Converter, *, converted: bool) -> MeasuredTake:
        """What is measured of a take; read anew where its file has changed.

        Raises:
            AudioError: as `read_take`.
        """
        state = _state(take.audio)
        if state is None:
            return _measure(take, converter, converted=converted)  # which says why
        state = (*state, converter.card.sha256 if converted else "")
        key = take.audio, take.begin, take.samples, take.channel
        self._used.add(key)
        known = self._measured.get(key)
        if known is None or known[0] != state:
            known = self._measured[key] = state, _measure(take, converter, converted=converted)
        return known[1]

    # For the next process

    def recall(self, home: Path) -> None:
        """Take up what was kept in a job's own folder; nothing, where that cannot be read."""
        if self._home == home:
            return
        self._home, self._kept, self._used = home, {}, set()
        with suppress(sqlite3.Error, OSError, ValueError), closing(_opened(home, "ro")) as database:
            for name, written, digest, speech, f0, energy, said in database.execute(
                "SELECT * FROM heard"
            ):
                path, begin, samples, *channel = json.loads(name)  # an older Moksori's has none
                state = tuple(json.loads(written))
                if state[0] != _FORMAT:
                    continue
                source = None
                if f0 is not None:
                    tracked = np.frombuffer(f0, np.float32).copy()
                    source = Source(tracked, BandEnergy.model_validate_json(energy))
                place = Path(os.path.normpath(home / path))
                key = place, begin, samples, channel[0] if channel else None
                self._kept[key] = state[1:]
                coarse, mixed = (Message.load(text) if text else None for text in json.loads(said))
                take = MeasuredTake(digest, speech, source, coarse, mixed)
                self._measured.setdefault(key, (state[1:], take))

    def keep(self, home: Path) -> None:
        """Keep what was measured in a job's own folder; where that fails, the job goes on without it."""
        if self._home != home:
            self._home, self._kept = home, {}
        new = {
            key: self._measured[key]
            for key in self._used
            if key in self._measured and self._kept.get(key) != self._measured[key][0]
        }
        if not new or not home.is_dir():
            return
        rows = []
        for (path, *rest), (state, (digest, speech, source, *said)) in new.items():
            name = json.dumps([relative(path, home), *rest])
            f0 = source and source.f0.astype(np.float32).tobytes()
            energy = source and source.energy.model_dump_json()
            notice = json.dumps([one.dump() if one else "" for one in said], ensure_ascii=False)
            rows.append((name, json.dumps([_FORMAT, *state]), digest, speech, f0, energy, notice))
        try:
            with closing(_opened(home, "rwc")) as database, database:
                database.execute(_SCHEMA)
                database.executemany(
                    "INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?, ?, ?)", rows
                )
        except sqlite3.OperationalError:  # a full disk, another process
            return
        except sqlite3.DatabaseError:  # damaged; the next time it is made anew
            with suppress(OSError):
                (home / HEARD).unlink()
            return
        self._kept |= {key: state for key, (state, _) in new.items()}


def _opened(home: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{(home / HEARD).absolute().as_uri()}?mode={mode}", uri=True, timeout=2)


def _state(path: Path) -> _State | None:
    """What tells whether a file is as it was; None if it is not there."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _measure(take: Take, converter: Converter, *, converted: bool) -> MeasuredTake:
    recording, digest = read_take(take)
    begin, end = levels.speech_bounds(recording.mono, recording.sample_rate, noise=recording.noise)
    try:
        source = converter.source(recording, LONGEST) if converted else None
    except AudioError:  # the conversion reports it
        source = None
    speech = (end - begin) / recording.sample_rate
    return MeasuredTake(digest, speech, source, recording.coarse, mixing(recording.samples))
