"""The ledger: whatever is done to a line is found at that line; a killed writer loses nothing."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from moksori.errors import OutputError
from moksori.provenance import ledger
from moksori.provenance.ledger import append, check


def filled(home, number=6):
    for i in range(number):
        append(home, "converted", {"line": f"{i:04d}_하나", "voice": "lmy"})
    return home / ledger.LEDGER


def codes(home, **more):
    return [(fault.code, fault.values.get("line")) for fault in check(home, **more).faults]


def test_what_is_written_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv(ledger.OPERATOR, "김감독")
    filled(tmp_path)
    found = check(tmp_path)
    assert found.faults == []
    assert [entry.n for _, entry in found.entries] == [*range(1, 7)]
    assert {entry.by for _, entry in found.entries} == {"김감독"}
    assert found.entries[2][1].about["line"] == "0002_하나"
    assert codes(tmp_path, head=found.entries[3][1].hash) == []
    assert codes(tmp_path, head="0" * 64) == [("ledger.other_head", None)]
    with pytest.raises(OutputError, match="no ledger"):
        check(tmp_path / "none")


@pytest.mark.parametrize("fault", [KeyError("uid"), OSError("uid"), ModuleNotFoundError("pwd")])
def test_a_system_that_knows_no_user_names_nobody(monkeypatch, fault):
    """A user number without a name, as in a container; Windows without USERNAME."""

    def getuser():
        raise fault

    monkeypatch.delenv(ledger.OPERATOR, raising=False)
    monkeypatch.setattr("getpass.getuser", getuser)
    assert ledger.operator() == "?"


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        (lambda rows: [*rows[:2], rows[2].replace(b"lmy", b"kih"), *rows[3:]], [("ledger.changed", 3)]),
        (lambda rows: rows[:2] + rows[3:], [("ledger.broken", 3)]),  # taken out
        (lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]],
         [("ledger.broken", 3), ("ledger.broken", 4), ("ledger.broken", 5)]),
        (lambda rows: [*rows[:3], rows[1], *rows[3:]], [("ledger.broken", 4), ("ledger.broken", 5)]),
        (lambda rows: [*rows[:2], b"{}", *rows[3:]], [("ledger.changed", 3), ("ledger.broken", 4)]),
        (lambda rows: rows[1:], [("ledger.broken", 1)]),
        (lambda rows: rows[:4], [("ledger.cut", None)]),
    ],
)  # fmt: skip
def test_tampering_is_named_by_its_line(tmp_path, do, expected):
    path = filled(tmp_path)
    path.write_bytes(b"".join(row + b"\n" for row in do(path.read_bytes().splitlines())))
    assert codes(tmp_path) == expected


def test_a_line_with_its_hash_made_anew_breaks_the_next(tmp_path):
    path = filled(tmp_path)
    rows = path.read_text().splitlines()
    entry = ledger.Entry.model_validate_json(rows[2])
    forged = entry.model_copy(update={"about": {"line": "x"}})
    rows[2] = forged.model_copy(update={"hash": forged.right_hash}).model_dump_json()
    path.write_text("\n".join(rows) + "\n")
    assert codes(tmp_path) == [("ledger.broken", 4)]


def test_a_ledger_written_anew_is_found_by_what_was_noted(tmp_path):
    """Its own head and the hash that somebody noted outside."""
    filled(tmp_path)
    noted = check(tmp_path).head
    (tmp_path / ledger.LEDGER).unlink()
    filled(tmp_path, 2)
    head = json.loads((tmp_path / "ledger.head").read_text())
    assert head["n"] == 2  # whoever rewrites all can rewrite that too
    assert codes(tmp_path) == []
    assert codes(tmp_path, head=noted) == [("ledger.other_head", None)]


@pytest.mark.parametrize("torn", [b'{"n":3,"at":"2026', "{반".encode()[:-1]])
def test_a_half_written_line_stays_and_is_told(tmp_path, torn):
    path = filled(tmp_path, 2)
    path.write_bytes(path.read_bytes() + torn)
    assert codes(tmp_path) == [("ledger.half", 3)]
    append(tmp_path, "converted", {"line": "next"})
    found = check(tmp_path)
    assert found.faults == []
    assert [entry.what for _, entry in found.entries[2:]] == ["torn", "converted"]
    rows = path.read_bytes().splitlines()
    assert rows[2] == torn  # nothing is ever taken away
    path.write_bytes(b"\n".join([*rows[:2], b"hidden", *rows[3:], b""]))
    assert codes(tmp_path) == [("ledger.changed", 3)]


def test_the_very_first_line_may_be_torn(tmp_path):
    (tmp_path / ledger.LEDGER).write_bytes(b'{"n":1')
    append(tmp_path, "converted", {})
    assert check(tmp_path).faults == []
    other = tmp_path / "other"
    other.mkdir()
    (other / ledger.LEDGER).write_bytes(b"no\nledger\n")
    with pytest.raises(OutputError, match="no line of the ledger can be read"):
        append(other, "converted", {})
    assert (other / ledger.LEDGER).read_bytes() == b"no\nledger\n"


WRITES = """
import sys
from pathlib import Path
from moksori.provenance.ledger import append
print("begun", flush=True)
for i in range(100000):
    append(Path(sys.argv[1]), "converted", {"line": str(i), "text": "가" * 3000})
"""


def test_it_survives_being_killed(tmp_path):
    filled(tmp_path, 1)
    process = subprocess.Popen([sys.executable, "-c", WRITES, tmp_path], stdout=subprocess.PIPE)
    process.stdout.readline()
    while len((tmp_path / ledger.LEDGER).read_bytes().splitlines()) < 5:
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    append(tmp_path, "converted", {"line": "after"})
    found = check(tmp_path)
    assert found.faults == []
    assert found.entries[-1][1].about == {"line": "after"}
    assert [entry.n for _, entry in found.entries] == [*range(1, len(found.entries) + 1)]


def test_several_at_once_write_one_chain(tmp_path):
    def write(who):
        for i in range(8):
            append(tmp_path, "converted", {"who": who, "i": i})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = check(tmp_path)
    assert found.faults == []
    assert len(found.entries) == 32
    for who in range(4):
        own = [entry.about["i"] for _, entry in found.entries if entry.about["who"] == who]
        assert own == [*range(8)]
