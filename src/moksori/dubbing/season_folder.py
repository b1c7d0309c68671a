"""What lies in a season's folder: the summary, and each episode's job, in a folder of its own.

OUT/EPISODE/.moksori/job.sqlite   keeps the episode's name, among much else
OUT/.moksori/summary.marks        what the summary is known by, as `delivered` has it
OUT/.moksori/summary.lock         held while it is written
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from moksori.dubbing import delivered
from moksori.dubbing.database import read_only
from moksori.dubbing.deliver.sheets import Sheet, save_table
from moksori.dubbing.episodes import Episode
from moksori.dubbing.records import ACTORS_LOCK, HOME, SUMMARY_MARKS, is_season
from moksori.dubbing.store import Store, check_place
from moksori.errors import OutputError, reason_of
from moksori.files import own_name, safe_name
from moksori.writing import atomic_write, write_error

SUMMARY = "summary.xlsx"
_LOCK = "summary.lock"
_NAME = "season episode"  # of what a job knows of itself


def check_season(out: Path) -> None:
    """See that a folder can be a season's, without touching it: before any work.

    Raises:
        OutputError: as `check_place`; it is a job's own, or holds a summary of somebody else's.
    """
    check_place(out, (_LOCK, ACTORS_LOCK))
    if (out / HOME / "job.sqlite").exists() and not is_season(out):
        raise OutputError.of("season.is_job", path=out)
    if (out / SUMMARY).exists() and not (out / HOME).is_dir():
        raise OutputError.of("output.not_ours", path=out / SUMMARY)


def put_summary(out: Path, sheet: Sheet, date: datetime) -> list[Path]:
    """Write the summary; one that somebody has changed is moved aside.

    Args:
        out: of the season; made if it is not there.
        sheet: the summary.
        date: in its properties.

    Returns:
        Where a changed one went.

    Raises:
        OutputError: it cannot be written, or is somebody else's.
    """
    home, place = out / HOME, out / SUMMARY
    new, marks = home / SUMMARY, home / SUMMARY_MARKS
    is_ours = home.is_dir()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / _LOCK):
            save_table(new, [sheet], date)
            before = marks.read_bytes().decode(errors="replace").split() if marks.exists() else []
            fresh = delivered.mark(new)
            known = {SUMMARY: before} if is_ours else {}
            atomic_write(marks, "\n".join([*before, fresh]))  # known also if it ends below
            try:
                aside = delivered.clear(out, [SUMMARY], known, {SUMMARY: fresh})
                new.replace(place)
            except OSError as error:  # perhaps open in Excel
                raise OutputError.of("output.open", path=place, why=reason_of(error)) from None
            atomic_write(marks, fresh)
    except OSError as error:
        raise write_error(place, error) from None
    return aside


def job_folder(out: Path, episode: Episode) -> Path:
    """The folder of an episode's job: where it began, whatever other rows the table had then.

    Args:
        out: of the season.
        episode: of the table.
    """
    for name in (safe_name(episode.name), own_name(episode.name)):
        if _name_of(out / name) == episode.name:
            return out / name
    return out / episode.folder


def others(out: Path, episodes: Iterable[Episode]) -> list[str]:
    """Names of the episodes in a season's folder that are none of these."""
    folders = sorted(out.iterdir()) if out.is_dir() else []
    own = {"", *(episode.name for episode in episodes)}
    return [name for folder in folders if (name := _name_of(folder)) not in own]


def check_name(folder: Path, episode: Episode) -> None:
    """See that a folder is not another episode's, without touching it.

    Raises:
        OutputError: it is.
    """
    _check(folder, _name_of(folder), episode)


def keep_name(folder: Path, episode: Episode) -> None:
    """Have a job's folder know whose it is; one that was begun by `moksori dub` takes the name.

    Raises:
        OutputError: it is another episode's; as `Store`.
    """
    store = Store(folder)
    try:
        _check(folder, store.about(_NAME), episode)
        store.set_about(_NAME, episode.name)
    finally:
        store.close()


def _check(folder: Path, before: str, episode: Episode) -> None:
    if before not in ("", episode.name):
        raise OutputError.of(
            "season.other_episode", path=folder, before=before, episode=episode.name
        )


def _name_of(folder: Path) -> str:
    """Whose a folder is; "" if nobody's, or if it cannot be read, which opening it as a job tells."""
    path = folder / HOME / "job.sqlite"
    if path.is_file():
        with suppress(OutputError):
            for row in read_only(path, f"SELECT value FROM about WHERE name = '{_NAME}'"):
                return str(row[0])
    return ""
