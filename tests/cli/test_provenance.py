"""`convert`, `verify` and `ledger` on the command line."""

import pytest
from typer.testing import CliRunner

from moksori.cli import app
from moksori.dubbing.records import HOME
from moksori.provenance import certificate, ledger
from tests.conftest import DEMO, DEMO_TEXT

pytestmark = pytest.mark.slow


def moksori(*arguments: object):
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture(autouse=True)
def english(monkeypatch, tmp_path):
    monkeypatch.setenv("MOKSORI_LANG", "en")
    monkeypatch.setenv(certificate.FOLDER, str(tmp_path / "certificate"))


def test_a_converted_line_says_what_it_is_signed_and_marked(tmp_path):
    line = ("convert", DEMO, "--text", DEMO_TEXT, "--voice", "lmy")
    made = moksori(*line, "-o", tmp_path / "a.wav", "--c2pa", "--watermark")
    assert made.exit_code == 0, made.output
    told = moksori("verify", tmp_path / "a.wav")
    assert told.exit_code == 0
    for words in ("AI-converted speech", "voice lmy", "take ", "research only", "is as it was",
                  "by one's own certificate", "carries the watermark"):  # fmt: skip
        assert words in told.output
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "a.wav").write_bytes(content)
    told = moksori("verify", tmp_path / "a.wav")
    assert told.exit_code == 1
    assert "signature is broken" in told.output
    assert "sound was changed" in told.output
    assert moksori("verify", DEMO).exit_code == 1  # says nothing of itself
    flac = moksori(*line, "-o", tmp_path / "a.flac", "--c2pa")
    assert "only WAVs are signed" in str(flac.exception)
    sold = moksori(*line, "-o", tmp_path / "b.wav", "--purpose", "commercial")
    assert "not for commercial use" in str(sold.exception)
    assert not (tmp_path / "b.wav").exists()


def test_a_ledger_is_read_and_its_faults_are_named(tmp_path):
    home = tmp_path / "job" / HOME
    home.mkdir(parents=True)
    for i in range(4):
        ledger.append(home, "converted", {"line": f"{i:04d}_하나", "voice": "lmy"})
    whole = moksori("ledger", tmp_path / "job")
    assert whole.exit_code == 0
    head = ledger.check(home).head
    assert "0002_하나" in whole.output
    assert f"4 entries, none changed; the last hash: {head}" in whole.output
    assert moksori("ledger", tmp_path / "job", "--head", head).exit_code == 0
    assert len(moksori("ledger", tmp_path / "job", "--json").stdout.splitlines()) == 4
    path = home / ledger.LEDGER
    path.write_bytes(path.read_bytes().replace(b"0001_", b"0009_"))
    broken = moksori("ledger", tmp_path / "job")
    assert broken.exit_code == 1
    assert "line 2 was changed" in broken.output
