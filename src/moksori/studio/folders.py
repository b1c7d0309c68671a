"""The folders that the page may open: jobs below one root, by name; it never names a path itself."""

from importlib.resources import files
from pathlib import Path

from moksori.conversion.card import load_card
from moksori.dubbing.plan.cast import first_cast, read_cast
from moksori.dubbing.plan.speakers import with_prefixes
from moksori.dubbing.records import HOME, is_season
from moksori.dubbing.request import JOB, JobFile
from moksori.dubbing.store import Store
from moksori.errors import ConfigError, OutputError
from moksori.files import read_text, safe_name
from moksori.messages import Lang
from moksori.script.script import READERS, read_script
from moksori.signal.decoders import is_recording
from moksori.timecode import FrameRate
from moksori.weights import MODEL
from moksori.writing import atomic_path, atomic_write, write_error

SCRIPTS, RECORDINGS, CAST = "script", "recordings", "cast.toml"
DEMO = "demo"
OWN = "moksori"  # the job's folder within a folder with script and recordings
_UNSEEN = (".", "~$")  # what a Mac keeps beside a file, and Excel and Word of one that is open
_ANY = (".txt", ".xml")  # of which many are no scripts


def is_job(folder: Path) -> bool:
    """Whether a folder holds a job."""
    return ((folder / HOME).is_dir() or (folder / JOB).is_file()) and not is_season(folder)


def name_of(job: Path) -> str:
    """What a job is called: its folder, or the one that script and recordings lie in beside it."""
    return job.parent.name if job.name == OWN else job.name


def jobs_below(root: Path) -> list[str]:
    """Names of the jobs in a folder, the latest first."""
    if not root.is_dir():
        return []
    found = [path for path in root.iterdir() if path.is_dir() and is_job(path)]
    found.sort(key=lambda path: -path.stat().st_mtime)
    return [path.name for path in found]


def job_of(root: Path, name: str) -> Path:
    """The folder of a job below the root.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in jobs_below(root):
        raise ConfigError.of("studio.no_job", name=name)
    return root / name


def new_job(root: Path, name: str, lang: Lang = "ko") -> Path:
    """A new job's folder below the root, whose reports will be in that language.

    Raises:
        OutputError: there is a folder of that name, or none can be made.
    """
    folder = root / safe_name(name)
    if folder.exists():
        raise OutputError.of("studio.exists", name=folder.name)
    _make(root)
    Store(folder).close()
    JobFile(lang=lang).save(folder)
    return folder


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from None


def begin_job(folder: Path, lang: Lang = "ko") -> JobFile:
    """A job in a folder with a script and recordings, as studios keep them: what lies there is proposed.

    Args:
        folder: the job's own, new or empty; script and recordings lie in it, or beside it.
        lang: of its reports.

    Returns:
        What could be found; where there are several scripts or recordings, none is chosen.
    """
    Store(folder).close()
    scripts, sounds = lying_around(folder)
    cast = folder.parent / CAST
    file = JobFile(
        script=scripts[0] if len(scripts) == 1 else None,
        audio=sounds[0] if len(sounds) == 1 else None,
        cast=cast if cast.is_file() else None,
        lang=lang,
    )
    file.save(folder)
    return file


def lying_around(folder: Path) -> tuple[list[Path], list[Path]]:
    """Scripts beside a job's folder, and recordings: the one folder, else the one track, else all of them."""
    if folder.name != OWN:
        return [], []
    around = sorted(p for p in folder.parent.iterdir() if not p.name.startswith(_UNSEEN))
    scripts = [
        path
        for path in around
        if path.suffix.lower() in READERS and path.suffix.lower() not in _ANY and path.is_file()
    ]
    sounds = [path for path in around if path != folder and _holds_recordings(path)]
    tracks = [path for path in around if is_recording(path)]
    one = next((found for found in (sounds, tracks) if len(found) == 1), None)
    return scripts, one or tracks + sounds


def _holds_recordings(folder: Path) -> bool:
    """Whether a recording lies in a folder; not in one that may not be looked into."""
    try:
        return folder.is_dir() and any(map(is_recording, folder.iterdir()))
    except OSError:
        return False


def with_cast(file: JobFile, folder: Path) -> JobFile:
    """The job with a cast that has all characters of its script, those that are new without a voice.

    Raises:
        MoksoriError: the script or the cast cannot be read.
    """
    if file.script is None:
        return file
    path = file.cast or folder / CAST
    known = read_cast(path) if path.exists() else None
    content = read_script(
        file.script, columns=file.columns, episode=file.episode, hidden=file.hidden,
        frame_rate=FrameRate.parse(file.fps) if file.fps else None,
    )  # fmt: skip
    voices = load_card(file.model or MODEL).voices
    new = first_cast(with_prefixes(content.lines), voices, known)
    if new.strip():
        before = read_text(path, ConfigError).rstrip() + "\n\n" if known else ""
        atomic_write(path, before + new)
    return file.merged({"cast": path})


def demo_source() -> Path:
    """Where the scene that comes with Moksori lies in the package."""
    return Path(str(files("moksori.studio") / "demo"))


def demo_job(root: Path, lang: Lang = "ko") -> Path:
    """A job of the scene that comes with Moksori; made the first time, with reports in that language.

    Raises:
        OutputError: it cannot be made.
    """
    folder = root / DEMO
    if not is_job(folder):
        _make(folder)
        Store(folder).close()
        for name in (SCRIPTS, RECORDINGS):
            _make(folder / name)
        for item in demo_source().iterdir():
            place = {".csv": f"{SCRIPTS}/", ".flac": f"{RECORDINGS}/", ".toml": ""}.get(item.suffix)
            if (place is not None and item.stem != "demo") or item.suffix == ".csv":
                with atomic_path(folder / f"{place}{item.name}") as copy:
                    copy.write_bytes(item.read_bytes())
        JobFile(
            script=folder / SCRIPTS / "demo.csv", audio=folder / RECORDINGS, cast=folder / CAST,
            fps="24", pattern="{no:03d}_{character}", lang=lang,
        ).save(folder)  # fmt: skip
    return folder
