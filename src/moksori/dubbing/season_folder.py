"""What lies in a season's folder: each episode's job, in a folder that is no other episode's.

OUT/EPISODE/.moksori/job.sqlite   keeps the episode's name, among much else
"""

from contextlib import suppress
from pathlib import Path

from moksori.dubbing.database import read_only
from moksori.dubbing.episodes import Episode
from moksori.dubbing.records import HOME
from moksori.dubbing.store import Store
from moksori.errors import OutputError
from moksori.files import own_name, safe_name

_NAME = "season episode"  # of what a job knows of itself


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
