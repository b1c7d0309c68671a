"""`convert`, `verify` and `ledger` on the command line."""

import datetime
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from moksori.cli import app
from moksori.conversion.consents import Consent, packs_folder, revocations, revoke
from moksori.conversion.converter import Converter
from moksori.conversion.voices import VoicePack, load_pack, save_pack
from moksori.dubbing.records import HOME
from moksori.errors import OutputError
from moksori.provenance import certificate, ledger
from moksori.provenance.statement import read_statement, write_statement
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


def test_no_line_is_left_that_could_not_be_signed(tmp_path, monkeypatch):
    def refused(path, *_):
        raise OutputError.of("provenance.not_signed", file=path, why="refused")

    monkeypatch.setattr("moksori.provenance.manifest.sign", refused)
    out = tmp_path / "a.wav"
    done = moksori("convert", DEMO, "--text", DEMO_TEXT, "--voice", "lmy", "-o", out, "--c2pa")
    assert "could not be signed" in str(done.exception)
    assert not out.exists()


@pytest.fixture
def hong(tmp_path) -> Path:
    """A folder with hong's voice, whose consent is for previews of one show, until today."""
    converter = Converter.from_pretrained()
    voices = [voice.name for voice in converter.card.voices]
    consent = Consent(
        who="홍길동", purpose="1화", until=datetime.date.today(), contact="hong@example.com",
        uses=("preview",), titles=("달 토끼",),
    )  # fmt: skip
    voice = converter.voice("kih").model_copy(update={"name": "hong"})
    row = voices.index("kih")
    weights = {"voices.weight": converter.model.voices.weight[row : row + 1]}
    pack = VoicePack(voice=voice, consent=consent, model=converter.card.sha256)
    save_pack(tmp_path / "packs" / "hong.safetensors", weights, pack)
    return tmp_path / "packs"


def test_a_consent_that_was_revoked_or_has_ended_since_is_told(hong, tmp_path, monkeypatch):
    """By the list alone too, after the voice's file is gone; and by other copies of it."""
    used = ("--packs", hong)
    made = moksori(
        "convert", DEMO, "--text", DEMO_TEXT, "--voice", "hong", "-o", tmp_path / "a.wav", *used,
        "--purpose", "preview", "--title", "달 토끼",
    )  # fmt: skip
    assert made.exit_code == 0, made.output

    def told(*more: object) -> str:
        done = moksori("verify", tmp_path / "a.wav", *more)
        assert done.exit_code == 0  # the file says what it is
        return " ".join(done.output.split())

    assert "uses: preview; titles: 달 토끼" in told() and "no commercial use" in told()
    assert "was revoked on" not in told() and "ended" not in told(*used)
    shutil.copytree(hong, tmp_path / "copied")
    moksori("revoke", "hong", *used)
    today = datetime.date.today()
    assert f"this consent was revoked on {today}" in told(*used)
    (hong / "hong.safetensors").unlink()
    assert f"this consent was revoked on {today}" in told()
    rows = revocations(hong)
    for folder in (hong, packs_folder()):  # as an older Moksori wrote the list
        content = "".join(
            row.model_dump_json(exclude={"references"}) + "\n" for row in rows.values()
        )
        (folder / "revoked.jsonl").write_text(content)
    assert f"a consent for a voice of this name was revoked on {today}" in told(*used)
    assert f"this consent was revoked on {today}" in told("--packs", tmp_path / "copied")
    (hong / "revoked.jsonl").write_text("{cut")
    assert "list of revocations cannot be read" in told(*used)
    (packs_folder() / "revoked.jsonl").unlink()
    assert "was revoked on" not in told()
    said, *_ = read_statement(tmp_path / "a.wav")
    past = said.voices["hong"].model_copy(update={"until": "2020-01-31"})
    write_statement(tmp_path / "a.wav", said.model_copy(update={"voices": {"hong": past}}))
    assert "this consent ended on 2020-01-31" in told()


def test_a_consent_revoked_is_not_told_of_a_voice_enrolled_anew_under_another(hong, tmp_path):
    path = hong / "hong.safetensors"
    weights, pack = load_pack(path)
    revoke(hong, "hong", pack.consent)
    today = datetime.date.today()
    before = str(today - datetime.timedelta(1))
    for path_of_list in (hong / "revoked.jsonl", packs_folder() / "revoked.jsonl"):
        path_of_list.write_text(path_of_list.read_text().replace(str(today), before))
    anew = pack.consent.model_copy(update={"purpose": "2화", "given": today})
    save_pack(path, weights, pack.model_copy(update={"consent": anew}))
    made = moksori(
        "convert", DEMO, "--text", DEMO_TEXT, "--voice", "hong", "-o", tmp_path / "a.wav",
        "--packs", hong, "--purpose", "preview", "--title", "달 토끼",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "was revoked on" not in moksori("verify", tmp_path / "a.wav", "--packs", hong).output


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
