"""Preparing that is ended: by Ctrl-C without a worker's word, and by a kill without a worker left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import write_corpus

pytestmark = pytest.mark.slow


def begin(tmp_path: Path) -> subprocess.Popen[str]:
    """`moksori prepare` at work in a group of its own, with more workers than there is work for."""
    speakers = tuple(f"s{number:02d}" for number in range(90))  # not done before it is ended
    source = write_corpus(tmp_path / "corpus", speakers)
    process = subprocess.Popen(
        [sys.executable, "-m", "moksori", "prepare", "emotiontts", str(source),
         str(tmp_path / "dest"), "--jobs", "16"],
        start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    journal = tmp_path / "dest" / "journal.jsonl"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size):
        time.sleep(0.01)
    assert process.poll() is None
    return process


def test_ctrl_c_is_answered_without_a_traceback(tmp_path):
    process = begin(tmp_path)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it, to all of them
    told, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told


def test_workers_end_with_a_command_that_is_killed(tmp_path):
    process = begin(tmp_path)
    process.kill()
    process.communicate(timeout=20)  # no worker holds its output open
