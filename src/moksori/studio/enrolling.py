"""Voices enrolled from the page: recordings are taken in, learnt from, and removed whatever comes of it."""

import secrets
import threading
import time
import unicodedata
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from starlette.requests import Request

from moksori.config import OptimizerConfig, Seconds
from moksori.conversion.card import load_card
from moksori.conversion.consents import Consent, packs_folder
from moksori.conversion.voices import pack_path, place_of_new
from moksori.dubbing.progress import Watch
from moksori.dubbing.task import Setup
from moksori.errors import ConfigError, CorpusError, OutputError, VoiceError
from moksori.extras import check_enrolment
from moksori.messages import message
from moksori.studio import uploads
from moksori.studio.learning import Enrolment, learn_apart
from moksori.studio.works import Work, Works
from moksori.training.scratch import scratch
from moksori.weights import MODEL
from moksori.writing import atomic_write

KIND = "enrol"  # of its works
_MOST = 2000  # recordings of a voice
_VOICE_BYTES = 4 * 2**30  # all of them together
_IDLE: Seconds = 15 * 60  # after which recordings go that nobody enrols


class Draft:
    """A voice that is to be enrolled, and its recordings as far as they are there."""

    def __init__(self, name: str, consent: Consent, replace: bool, setup: Setup) -> None:
        self.id = secrets.token_hex(8)
        self.name, self.consent, self.replace = name, consent, replace
        self.model, self.packs = setup.model or MODEL, setup.packs or packs_folder()
        self.files, self.size = 0, 0  # recordings, bytes
        self.spoken: Path | None = None
        self.started = False
        self.touched = time.monotonic()
        self._leave = ExitStack()
        self.folder = self._leave.enter_context(scratch())
        self.recordings.mkdir()

    @property
    def recordings(self) -> Path:
        """Where they lie."""
        return self.folder / "recordings"

    def close(self) -> None:
        """Remove the recordings."""
        self._leave.close()


class Enrolling:
    """What the page enrols: one voice at a time.

    Attributes:
        schedule: of the trainings; that of `moksori enroll` if None.
    """

    def __init__(self, works: Works) -> None:
        self.schedule: OptimizerConfig | None = None
        self._works = works
        self._drafts: dict[str, Draft] = {}
        self._turn = threading.Lock()

    def begin(self, name: str, consent: Consent | None, replace: bool, setup: Setup) -> str:
        """Take in a voice; the number that its recordings are brought under.

        Whoever was to be enrolled before, and is not, is forgotten.

        Raises:
            ConfigError: no consent, one that has ended; a library is missing; another voice is being learnt.
            VoiceError, OutputError: as `place_of_new`.
        """
        if consent is None:
            raise ConfigError.of("studio.no_consent")
        if consent.expired:
            raise ConfigError.of(
                "consent.ended", file=message("studio.consent"), until=consent.until
            )
        check_enrolment()
        with self._turn:
            if any(draft.started for draft in self._drafts.values()):
                raise ConfigError.of("studio.enrolling")
            self.close()
            draft = Draft(unicodedata.normalize("NFC", name.strip()), consent, replace, setup)
            self._drafts[draft.id] = draft
        try:
            if pack_path(draft.packs, draft.name).exists() and not replace:
                raise VoiceError.of("studio.enrolled", voice=draft.name)
            place_of_new(draft.name, load_card(draft.model), draft.packs, consent, replace)
        except BaseException:
            self._drop(draft)
            raise
        return draft.id

    async def bring(self, id: str, request: Request, spoken: bool) -> None:
        """Take in a recording, or the one of the spoken consent.

        Raises:
            ConfigError: nobody is to be enrolled under that number.
            OutputError, AudioError: not of a kind that is taken, too many, too large, no sound.
        """
        draft = self._draft(id)
        name = uploads.plain_name(request.query_params.get("name", ""), uploads.SOUND_KINDS)
        if draft.files >= _MOST:
            raise OutputError.of("studio.too_many", most=_MOST)
        place = draft.folder / "spoken" / name if spoken else draft.recordings / name
        came = 0

        def count(size: int) -> None:
            nonlocal came
            came += size
            draft.size += size
            draft.touched = time.monotonic()
            if draft.size > _VOICE_BYTES:
                left = _VOICE_BYTES - (draft.size - came)
                raise OutputError.of("studio.too_large", name=name, limit=left // 2**20)

        draft.files += not spoken
        try:
            await uploads.receive(request, place, uploads.TAKE_BYTES, uploads.check_sound, count)
        except BaseException:
            draft.files -= not spoken
            draft.size -= came
            raise
        if spoken:
            draft.spoken = place

    def start(self, id: str, texts: Mapping[str, str]) -> Work:
        """Learn the voice of what was brought.

        Args:
            id: as `begin` gave it.
            texts: of the recordings, by their names; any other name is left alone.

        Raises:
            ConfigError: nobody is to be enrolled under that number; a spoken consent without its sentence.
            CorpusError: there are no recordings.
        """
        draft = self._draft(id)
        known = {unicodedata.normalize("NFC", name): text for name, text in texts.items()}
        paths = [*draft.recordings.iterdir()]
        if not paths:
            raise CorpusError.of("studio.no_recordings")
        if draft.spoken and not draft.consent.sentence.strip():
            raise ConfigError.of("studio.no_sentence")
        for path in paths:
            if text := known.get(path.name, "").strip():
                atomic_write(path.with_suffix(".txt"), text)
        draft.started = True
        return self._works.add(KIND, partial(self._learn, draft), beside=True, voice=draft.name)

    def drop(self, id: str) -> None:
        """Drop a draft that is not to be enrolled after all.

        Raises:
            ConfigError: nobody is to be enrolled under that number.
        """
        self._drop(self._draft(id))

    def look(self) -> None:
        """Drop abandoned drafts; called every second or so."""
        for draft in [*self._drafts.values()]:
            if not draft.started and time.monotonic() - draft.touched > _IDLE:
                self._drop(draft)

    def close(self) -> None:
        """Remove all recordings; what was being learnt has ended."""
        for draft in [*self._drafts.values()]:
            self._drop(draft)

    def _draft(self, id: str) -> Draft:
        draft = self._drafts.get(id)
        if draft is None or draft.started:
            raise ConfigError.of("studio.no_draft")
        return draft

    def _drop(self, draft: Draft) -> None:
        if self._drafts.pop(draft.id, None):
            draft.close()

    def _learn(self, draft: Draft, watch: Watch) -> dict[str, Any]:
        asked = Enrolment(
            name=draft.name, consent=draft.consent, spoken=draft.spoken, folder=draft.folder,
            model=draft.model, packs=draft.packs, replace=draft.replace, schedule=self.schedule,
        )  # fmt: skip
        try:
            return learn_apart(asked, watch)
        finally:
            self._drop(draft)
