"""What must not happen whatever comes in: connections, ports open to others, commands, files elsewhere."""

import contextlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import DEMO, DEMO_TEXT


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_conversion_opens_no_connection(tmp_path):
    """As the kernel sees it, in a process of its own: ONNX Runtime would look its maker's host up."""
    log = tmp_path / "calls.txt"
    command = [
        sys.executable,
        "-m",
        "moksori",
        "convert",
        DEMO,
        "--text",
        DEMO_TEXT,
        "--voice",
        "lmy",
    ]
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    ran = subprocess.run(
        ["strace", "-f", "-e", "trace=network", "-o", log, *command, "-o", tmp_path / "out.wav"],
        env=env, capture_output=True, text=True,
    )  # fmt: skip
    if "ptrace" in ran.stderr:
        pytest.skip("strace may not trace here")
    assert (tmp_path / "out.wav").exists(), ran.stderr
    calls = log.read_text().splitlines()
    assert calls  # it has traced: at least how the process ended
    assert [call for call in calls if "AF_INET" in call or "sendto(" in call] == []


def family() -> set[int]:
    """Number of the test process, and of all that it has begun, from /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found, size = {os.getpid()}, 0
    while size < len(found):
        size = len(found)
        found |= {process for process, parent in parents.items() if parent in found}
    return found


def listening() -> set[str]:
    """Addresses on which this process and its own listen, as /proc writes them."""
    sockets = set()
    for process in family():
        with contextlib.suppress(OSError):
            sockets |= {str(fd.readlink()) for fd in Path(f"/proc/{process}/fd").iterdir()}
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    mine = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    return {row[1].partition(":")[0] for row in mine}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="there is no /proc")
def test_a_ray_of_our_own_listens_to_this_machine_alone(monkeypatch):
    if find_spec("ray") is None:
        pytest.skip("ray is not installed")
    from moksori.dubbing.task import Setup
    from moksori.dubbing.work.cluster import RayEngine

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    engine = RayEngine(Setup(), 1)
    try:
        found = listening()
    finally:
        engine.close()
    assert found
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    assert found <= loopback
