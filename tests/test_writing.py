"""Files are whole, and on the disk when it is said that they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from moksori.errors import OutputError
from moksori.writing import alone_in, atomic_write, sync_all, without_sync


@pytest.fixture
def synced(monkeypatch) -> list[Path]:
    """What the disk was waited for, in order."""
    found: list[Path] = []
    sync = os.fsync

    def seen(handle: int) -> None:
        found.append(Path(f"/proc/self/fd/{handle}").readlink())
        sync(handle)

    monkeypatch.setattr(os, "fsync", seen)
    return found


def test_a_file_is_on_the_disk_before_it_takes_its_place_and_its_name_after(tmp_path, synced):
    atomic_write(tmp_path / "a.txt", "가")
    file, folder = synced
    assert file.parent == tmp_path and file.name != "a.txt"  # still by its temporary name
    assert folder == tmp_path


def test_without_sync_the_disk_is_waited_for_once_for_all(tmp_path, synced):
    paths = [tmp_path / f"{n}.txt" for n in range(50)]
    with without_sync():
        for path in paths:
            atomic_write(path, "나")
    assert synced == []
    assert {path.read_text(encoding="utf-8") for path in paths} == {"나"}
    sync_all(paths)
    assert sorted(synced) == sorted(paths)


def test_it_ends_with_an_error_too(tmp_path, synced):
    with pytest.raises(RuntimeError), without_sync():
        raise RuntimeError
    atomic_write(tmp_path / "a.txt", "가")
    assert len(synced) == 2


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o002, 0o664)])
def test_the_user_says_who_may_read_and_write_what_is_written(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        atomic_write(tmp_path / "a.txt", "가")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode


def test_the_longest_name_that_a_system_takes_is_written(tmp_path):
    path = tmp_path / f"{'가' * 83}.txt"
    atomic_write(path, "나")
    assert [*tmp_path.iterdir()] == [path]


def test_what_could_not_be_written_after_all_is_told(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("가")

    def failing(handle: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match="Input/output"):
        sync_all([tmp_path / "a.txt"])


def test_one_process_works_in_a_folder_and_a_killed_one_holds_it_no_longer(tmp_path):
    folder = tmp_path / "new"
    code = (
        "import sys, time; from pathlib import Path; from moksori.writing import alone_in\n"
        "with alone_in(Path(sys.argv[1])): print(flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)
    other.stdout.readline()
    with pytest.raises(OutputError, match="another job is at work"), alone_in(folder):
        pass
    other.kill()
    other.communicate()
    for _ in range(2):
        with alone_in(folder):
            pass
    (tmp_path / "file").touch()
    with pytest.raises(OutputError), alone_in(tmp_path / "file"):
        pass
