"""What a running Studio holds: the open job, the works, and what the page may ask of them."""

import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from moksori.conversion.consents import Usage
from moksori.dubbing.new_takes import TAKES
from moksori.dubbing.plan.cast import set_role
from moksori.dubbing.plan.memory import Memory
from moksori.dubbing.records import is_season
from moksori.dubbing.request import JobFile
from moksori.dubbing.task import Setup
from moksori.errors import ConfigError
from moksori.messages import Lang
from moksori.studio import folders
from moksori.studio.desk import Desk
from moksori.studio.enrolling import Enrolling
from moksori.studio.singles import Singles
from moksori.studio.voices import voices_sign
from moksori.studio.works import Works

_HEAR = 0.1  # seconds between looks for a sound
_LOOK = 10  # of these are between looks for files that have changed


class Session:
    """What a running Studio holds.

    Args:
        root: the folder whose jobs may be opened.
        workers: lines at a time; as many as there are cores by default.
    """

    def __init__(self, root: Path, workers: int | None = None) -> None:
        self.root, self.workers = root, workers
        self.memory, self.works = Memory(), Works(self.changed)
        self.enrolling = Enrolling(self.works)
        self.desk: Desk | None = None
        self.revision = 0  # grows with everything that the page has to show
        self.singles = Singles(self.memory, self.works, self.setup)
        self._voices = ""
        self._end = threading.Event()
        self.leaving = False  # whether pages are to go, since the server ends
        threading.Thread(target=self._watch, daemon=True).start()

    def changed(self) -> None:
        """Let the page look again."""
        self.revision += 1

    def leave(self) -> None:
        """Let the pages go that wait for news; the server is about to end."""
        self.leaving = True

    def close(self) -> None:
        """End the works and the workers."""
        self._end.set()
        self.works.close()
        self.enrolling.close()
        if self.desk:
            self.desk.close()
        self.singles.close()

    def _watch(self) -> None:
        for tick in count():
            if self._end.wait(_HEAR):
                return
            with suppress(OSError):  # a drive that is away for a moment
                if tick % _LOOK == 0:
                    self.look()
                if self.desk is not None:
                    self.desk.hear()

    def look(self) -> None:
        """See what else has changed on the disk: the job's files, the voices."""
        self.enrolling.look()
        if self.desk is not None:
            self.desk.look()
        before, self._voices = self._voices, voices_sign(self.setup())
        if before not in ("", self._voices):
            self.changed()
            if self.desk is not None:
                self.desk.refresh()  # of its voices one may have come, or gone

    # Jobs

    def open(self, out: Path) -> None:
        """Open a job.

        Raises:
            ConfigError: another one is at work, or its job.toml cannot be read.
        """
        if any(w.active and not w.quiet and not w.beside for w in self.works.all()):
            raise ConfigError.of("studio.busy")
        desk = Desk(out, self.works, self.memory, self.changed, self.workers)
        if self.desk:
            self.desk.close()
        self.desk = desk
        self.changed()
        self.desk.refresh()

    def open_folder(self, folder: Path, lang: Lang = "ko") -> None:
        """Open what a user named on the command line: a job, a new one, or one of what lies there.

        Of a season, whose jobs are its episodes, none is opened before one is chosen.

        Args:
            folder: that was named.
            lang: of the reports of a new job.
        """
        if is_season(folder):
            self.root = folder
            return
        if folder.is_dir() and not folders.is_job(folder) and any(folder.iterdir()):
            folder = folder / folders.OWN
            if not folders.is_job(folder):
                folders.begin_job(folder, lang)
        elif not folders.is_job(folder):
            folders.new_job(folder.parent, folder.name, lang)
        self.root = folder.parent
        self.open(folder)
        self.with_cast()

    def choose(self, kind: str, name: str) -> None:
        """Take a script or recordings that lie beside the job's folder.

        Raises:
            ConfigError: nothing of that name lies there.
        """
        scripts, sounds = folders.lying_around(self.the_desk().out)
        found = {path.name: path for path in (scripts if kind == "script" else sounds)}
        if name not in found:
            raise ConfigError.of("studio.not_there", name=name)
        self.save(**{"script" if kind == "script" else "audio": found[name]})

    def the_desk(self) -> Desk:
        """The open job.

        Raises:
            ConfigError: none is.
        """
        if self.desk is None:
            raise ConfigError.of("studio.none_open")
        return self.desk

    def see_job(self, folder: str | None) -> None:
        """See that the open job is the one that a page means.

        Args:
            folder: the name of its folder; None for whichever is open.

        Raises:
            ConfigError: another one is open.
        """
        if folder is not None and self.desk is not None and self.desk.out.name != folder:
            raise ConfigError.of("studio.other_job", name=self.desk.name)

    def save(self, **asked: Any) -> None:
        """Change what the job is asked for; its cast gets the characters that are new."""
        self.the_desk().save(**asked)
        self.with_cast()

    def with_cast(self) -> None:
        """Give the cast the characters that it lacks; a script that cannot be read is told by the check."""
        desk = self.the_desk()
        try:
            file = folders.with_cast(desk.file, desk.out)
        except ValueError:
            return
        if file != desk.file:
            desk.save(cast=file.cast)

    def place_of_script(self, name: str) -> Path:
        """Where a script that is brought goes."""
        return self.the_desk().out / folders.SCRIPTS / name

    def place_of_recording(self, name: str) -> Path:
        """Where a recording that is brought goes."""
        return self.the_desk().out / folders.RECORDINGS / name

    def cast(self, character: str, values: dict[str, Any]) -> None:
        """Change a character's role."""
        desk = self.the_desk()
        if desk.file.cast is None:
            raise ConfigError.of("studio.no_cast")
        set_role(desk.file.cast, character, **values)
        desk.refresh()

    # Lines

    def mark(
        self,
        id: str,
        state: str | None,
        note: str | None,
        key: str = "",
        seen: dict[str, str] | None = None,
    ) -> str:
        """Mark a line or note something of it; what is None stays.

        Args:
            id: of the line.
            state: the mark.
            note: beside it.
            key: of the outcome that was heard; of the present one by default.
            seen: as `Review.mark`.

        Returns:
            The note as it is now.

        Raises:
            ConfigError: there is no such line; an OK of one that has no outcome to be heard.
            OutputError: somebody else has marked it since.
        """
        desk = self.the_desk()
        line = self._line(id)
        said: dict[str, str] = {} if note is None else {"note": note}
        if state is not None:
            row = desk.rows().get(id)
            key = key or (row.wave.stem if row and row.wave else "")
            if state == "ok" and not key:
                raise ConfigError.of("review.unheard")
            said |= {"state": state, "key": key}
        kept = desk.review.mark(id, line.script_text, seen or {}, **said)
        self.changed()
        return kept.note

    def change(self, id: str, values: dict[str, Any], *, check: bool = True) -> None:
        """Ask something of a line; a value that is None is left to script and cast again.

        Args:
            id: of the line.
            values: by the names of `Change`.
            check: whether nothing follows that checks the job again.
        """
        desk, line = self.the_desk(), self._line(id)
        desk.review.ask(id, line.script_text, values)
        self.changed()
        if check:
            desk.refresh()

    def forget(self, id: str) -> None:
        """Drop what was said of a line that the script no longer has."""
        desk = self.the_desk()
        desk.review.drop(id)
        desk.refresh()

    def go_back(self, id: str, key: str) -> None:
        """Ask of a line what it was asked when it became an earlier version.

        Raises:
            ConfigError: there is no such version; or it stayed as recorded, which the cast alone can ask.
        """
        desk, line = self.the_desk(), self._line(id)
        version = next((v for v in desk.review.versions(id) if v.key == key), None)
        if version is None:
            raise ConfigError.of("studio.no_version", line=id)
        if not version.voice and not self._stays_as_recorded(line.character):
            raise ConfigError.of("studio.as_recorded", line=id, character=line.character)
        take = desk.out / version.audio
        desk.review.ask(id, line.script_text, {
            "text": version.text, "voice": version.voice or None, "pitch": version.pitch,
            "gain": version.gain, "effort": version.effort,
            "take": take if take.is_relative_to(desk.out / TAKES) else None,
        })  # fmt: skip
        self.changed()
        desk.refresh()

    def _stays_as_recorded(self, character: str) -> bool:
        checked = self.the_desk().checked
        role = checked.cast.role(character) if checked else None
        return bool(role and role.as_recorded)

    def _line(self, id: str) -> Any:
        checked = self.the_desk().checked
        if checked is None or id not in checked.lines:
            raise ConfigError.of("studio.no_line", line=id)
        return checked.lines[id]

    def add_reading(self, word: str, reading: str) -> None:
        """Add a word's reading to the show's own list, which is made if there is none.

        Raises:
            LexiconError: the word cannot be read so.
        """
        from moksori.text.lexicon import add_reading

        desk = self.the_desk()
        path = desk.file.lexicon or desk.out / "lexicon.tsv"
        add_reading(path, word, reading)
        self.save(lexicon=path)

    def setup(self) -> Setup:
        """What the open job asks of a conversion; the bundled models if none is open."""
        file = self.desk.file if self.desk else JobFile()
        return Setup(
            model=file.model, vocoder=file.vocoder, packs=file.packs, recogniser=file.recogniser,
            usage=Usage(file.purpose, file.title or ""),
        )  # fmt: skip
