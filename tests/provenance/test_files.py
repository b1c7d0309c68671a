"""What files say of themselves: read back by ours and by other programs, and broken by any edit."""

import stat
import struct
from datetime import datetime
from io import BytesIO

import numpy as np
import pytest
import soundfile
from wavinfo import WavInfoReader

from moksori.errors import AudioError, ConfigError, OutputError
from moksori.provenance import certificate as certificates
from moksori.provenance import manifest, watermark
from moksori.provenance.certificate import certificate
from moksori.provenance.statement import (
    LineSaid,
    PartSaid,
    Statement,
    VoiceSaid,
    read_statement,
    write_statement,
)
from moksori.provenance.verify import Found, verify
from moksori.signal import bwf
from tests.conftest import DEMO

SAID = Statement(
    title="달 토끼 3화",
    lines=(LineSaid(id="0012_하나", take="ab" * 32, voice="lmy"),),
    voices={"lmy": VoiceSaid(consent="1234567890abcdef", until="2027-12-31", uses=("commercial",))},
    models={"model": PartSaid(checksum="7e44d436bb7d", licence="ours")},
    commercial="yes",
)


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv(certificates.FOLDER, str(tmp_path / "certificate"))
    return tmp_path / "certificate"


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "line.wav"
    chance = np.random.default_rng(0)
    soundfile.write(path, 0.1 * chance.standard_normal((48001, 1)), 48000, "PCM_24")
    return path


def test_a_wav_says_what_it_is_and_its_samples_stay(wav):
    before = soundfile.read(wav, dtype="int32")[0]
    write_statement(wav, SAID)
    write_statement(wav, SAID)  # once is enough
    assert (soundfile.read(wav, dtype="int32")[0] == before).all()
    said, same, described = read_statement(wav)
    assert said.model_copy(update={"sound": ""}) == SAID
    assert same
    assert described.startswith("AI-converted speech; voice lmy (consent 1234567890abcdef)")
    told = WavInfoReader(str(wav))
    assert told.bext.description == described
    assert "T=Moksori; AI-converted speech" in told.bext.coding_history
    user = told.ixml.parsed.find("USER").text if hasattr(told.ixml, "parsed") else None
    raw = wav.read_bytes()
    assert raw.count(b"<USER>") == 1
    assert user is None or "AI로 변환한 음성" in user
    assert b"0012_" in raw


def test_what_a_reel_says_already_stays(wav):
    bwf.write_bext(wav, bwf.Broadcast(
        description="달 토끼: reel", date=datetime(2026, 1, 2), start=48000 * 3600, frame_rate="25/1",
        drop_frame=False, scene="하나", loudness=-24.0,
    ))  # fmt: skip
    write_statement(wav, SAID)
    told = WavInfoReader(str(wav), bext_encoding="utf-8")
    assert told.bext.description == "달 토끼: reel"
    assert told.bext.time_reference == 48000 * 3600
    assert told.bext.loudness_value == pytest.approx(-24.0)
    assert told.bext.coding_history.count("T=Moksori") == 2
    assert told.ixml.scene == "하나"
    assert read_statement(wav)[1]


def test_what_a_recorder_noted_for_its_user_stays_beside_it(wav):
    note = b"<BWFXML><USER>roll 3</USER></BWFXML>"
    content = wav.read_bytes() + struct.pack("<4sI", b"iXML", len(note)) + note
    wav.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    write_statement(wav, SAID)
    assert b"roll 3" in wav.read_bytes()
    assert read_statement(wav)[0] is not None


def test_an_edit_of_the_sound_is_seen(wav):
    write_statement(wav, SAID)
    content = bytearray(wav.read_bytes())
    content[-5000] ^= 1
    wav.write_bytes(content)
    assert read_statement(wav)[1] is False
    assert verify(wav).contradicted


def test_rf64_is_read_and_written(wav, tmp_path):
    path = tmp_path / "long.wav"
    wave, rate = soundfile.read(wav)
    soundfile.write(path, wave, rate, "PCM_24", format="RF64")
    write_statement(path, SAID)
    assert path.read_bytes()[:4] == b"RF64"
    assert np.allclose(soundfile.read(path)[0], wave)
    assert read_statement(path)[1]


def test_what_is_no_wav_is_told_and_left(tmp_path, wav):
    other = tmp_path / "text.wav"
    other.write_text("no sound at all")
    cut = tmp_path / "cut.wav"
    cut.write_bytes(wav.read_bytes()[:1000])
    for path in (other, cut):
        content = path.read_bytes()
        with pytest.raises(OutputError, match="no WAV, or cut off"):
            write_statement(path, SAID)
        assert path.read_bytes() == content
    assert read_statement(other) == (None, None, "")


def test_a_bomb_in_ixml_is_not_opened(wav):
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><BWFXML><USER>&b;</USER></BWFXML>'
    )
    content = wav.read_bytes()
    chunk = struct.pack("<4sI", b"iXML", len(bomb)) + bomb + bytes(len(bomb) % 2)
    wav.write_bytes(
        content[:4] + struct.pack("<I", len(content) - 8 + len(chunk)) + content[8:] + chunk
    )
    assert read_statement(wav)[0] is None
    write_statement(wav, SAID)
    assert read_statement(wav)[1]


def test_a_certificate_is_made_once_and_its_key_is_private(own):
    first = certificate()
    assert certificate() == first
    assert first.algorithm == "es256"
    assert stat.S_IMODE((own / "key.pem").stat().st_mode) == 0o600
    (own / "key.pem").chmod(0o644)
    with pytest.raises(ConfigError, match="others can read this key"):
        certificate()
    (own / "key.pem").chmod(0o600)
    (own / "chain.pem").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        certificate()
    other = certificate(own.parent / "other")
    (own / "chain.pem").write_bytes(other.chain)
    with pytest.raises(ConfigError, match="belong together"):
        certificate()


def test_a_signed_wav_is_known_and_any_edit_breaks_it(own, wav, tmp_path):
    before = soundfile.read(wav, dtype="int32")[0]
    write_statement(wav, SAID)
    manifest.sign(wav, SAID, certificate())
    assert (soundfile.read(wav, dtype="int32")[0] == before).all()
    signed = manifest.read(wav)
    assert (signed.state, signed.faults) == ("Trusted", ())
    assert Statement.model_validate(signed.said) == SAID
    assert manifest.read(wav, own=b"").state == "Valid"  # elsewhere
    found = verify(wav)
    assert not found.contradicted
    assert any(row.code == "verify.c2pa_own" for row in found.said())
    content = wav.read_bytes()
    data, ixml = content.index(b"data") + 5000, content.index(b"1234567890abcdef")
    for place in (data, ixml):
        edited = bytearray(content)
        edited[place] ^= 1
        path = tmp_path / "edited.wav"
        path.write_bytes(edited)
        assert "assertion.dataHash.mismatch" in manifest.read(path).faults
        assert verify(path).contradicted
    soundfile.write(path, soundfile.read(wav)[0], 48000, "PCM_24")  # saved anew: nothing is left
    assert manifest.read(path) is None
    assert verify(path).statement is None
    write_statement(wav, SAID.model_copy(update={"title": "해 토끼"}))
    assert manifest.read(wav) is None  # ours takes a signature away that would not hold


@pytest.mark.parametrize(
    ("faults", "code", "contradicted"),
    [
        (("signingCredential.expired",), "ended", False),  # years after it was signed
        (("signingCredential.invalid",), "refused", True),
        (("signingCredential.expired", "assertion.dataHash.mismatch"), "broken", True),
        (("assertion.dataHash.mismatch",), "broken", True),
        ((), "broken", True),
    ],
)
def test_what_is_wrong_with_a_certificate_is_not_called_a_change_of_the_file(
    wav, faults, code, contradicted
):
    found = Found(wav, SAID, same_sound=True, signed=manifest.Signed("Invalid", "", {}, faults))
    assert found.contradicted == contradicted
    codes = [row.code for row in found.said() if row.code.startswith("verify.c2pa")]
    assert codes == [f"verify.c2pa_{code}"]


def test_a_file_that_is_cut_off_is_not_said_to_have_been_signed(own, wav, tmp_path):
    write_statement(wav, SAID)
    cut = tmp_path / "cut.wav"
    cut.write_bytes(wav.read_bytes()[:12])
    found = verify(cut)
    codes = [row.code for row in found.said()]
    assert "verify.c2pa_unreadable" in codes and "verify.c2pa_broken" not in codes
    assert found.contradicted


def test_other_words_than_those_signed_are_told(own, wav):
    write_statement(wav, SAID.model_copy(update={"title": "해 토끼"}))
    manifest.sign(wav, SAID, certificate())
    assert verify(wav).contradicted
    assert any(row.code == "verify.other_words" for row in verify(wav).said())


def test_signed_words_that_are_no_statement_are_told(wav):
    signed = manifest.Signed("Valid", "somebody", {"lines": 3}, ())
    found = Found(wav, SAID, same_sound=True, signed=signed)
    assert found.contradicted and any(row.code == "verify.other_words" for row in found.said())


def test_a_folder_is_named_as_one(tmp_path):
    with pytest.raises(AudioError, match="is a folder"):
        verify(tmp_path)


def test_the_watermark_is_found_and_only_where_it_is():
    """Also from anywhere in the line, after MP3, and below as much noise as a mix has."""
    wave, rate = soundfile.read(DEMO, dtype="float32", always_2d=True)
    marked = watermark.mark(wave, rate)
    assert marked.shape == wave.shape
    assert watermark.confidence(wave, rate) < 0.1
    assert watermark.confidence(marked, rate) > 0.99
    assert watermark.confidence(marked[7777:], rate) > 0.99
    for speed in (24 / 25, 25 / 23.976):
        assert watermark.confidence(marked, rate * speed) > 0.99
        assert watermark.confidence(wave, rate * speed) < 0.1
    noise = np.random.default_rng(1).standard_normal(wave.shape) * np.sqrt((wave**2).mean()) / 2
    assert watermark.confidence(marked + noise, rate) > watermark.FOUND
    assert watermark.confidence(wave + noise, rate) < 0.1
    content = BytesIO()
    soundfile.write(content, marked, rate, format="MP3")
    content.seek(0)
    assert watermark.confidence(*soundfile.read(content)) > 0.99


@pytest.mark.parametrize("kind", ["click", "clicks", "tone", "noise", "noise and a click"])
def test_no_watermark_is_found_in_what_is_no_speech(kind):
    rate, time = 48000, np.arange(4 * 48000) / 48000
    wave = np.zeros((len(time), 1), np.float32)
    if kind == "tone":
        wave[:, 0] = 0.3 * np.sin(2000 * np.pi * time)
    if "noise" in kind:
        wave += 0.001 * np.random.default_rng(1).standard_normal(wave.shape).astype(np.float32)
    if "click" in kind:
        wave[:: rate // 2 if kind == "clicks" else 2 * rate] = 0.9
    assert watermark.confidence(wave, rate) < 0.2


def test_the_watermark_moves_the_level_by_its_strength_and_nothing_above_its_band():
    wave, rate = soundfile.read(DEMO, dtype="float32", always_2d=True)
    change = watermark.mark(wave, rate, 1.0) - wave
    power = np.abs(np.fft.rfft(change[:, 0])) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / rate)
    assert power[(hertz > 7200) | (hertz < 100)].sum() < 1e-3 * power.sum()
    assert 10 * np.log10((change**2).sum() / (wave**2).sum()) < -17  # ± 1 dB would be -18.5
    stereo = watermark.mark(np.repeat(wave, 2, 1), rate)
    assert np.allclose(stereo[:, 0], stereo[:, 1])
    for empty in (np.zeros((rate, 1), np.float32), wave[:100]):
        assert (watermark.mark(empty, rate) == empty).all()
        assert np.isnan(watermark.confidence(empty, rate))


def test_what_only_bext_still_says_is_told(wav):
    """As of files saved by a program that keeps it and no iXML, with a description of its own."""
    assert next(row.code for row in verify(wav).said()) == "verify.says_nothing"
    bwf.write_bext(wav, bwf.Broadcast(
        description="달 토끼: reel", date=datetime(2026, 1, 2), start=0, frame_rate="25/1",
        drop_frame=False,
    ))  # fmt: skip
    write_statement(wav, SAID)
    wav.write_bytes(wav.read_bytes().replace(b"iXML", b"junk"))
    found = verify(wav)
    said = next(iter(found.said())).say("en")
    assert "bext says: “AI-converted speech; voice lmy (consent 1234567890abcdef)" in said
    assert found.statement is None and not found.contradicted


def test_what_stays_as_recorded_names_no_model_and_no_licence():
    kept = LineSaid(id="0013_둘", take="cd" * 32, converted=False)
    whole = SAID.model_copy(update={"lines": (*SAID.lines, kept), "watermark": True})
    said = whole.about((kept,))
    assert said == Statement(title=SAID.title, converted=False, lines=(kept,))
    assert said.summary == "as recorded"
    both = whole.about(whole.lines)
    assert (both, both.models, both.watermark) == (whole, SAID.models, True)


def test_a_file_that_says_nothing_is_not_contradicted(wav, tmp_path):
    found = verify(wav)
    assert found.statement is None
    assert not found.contradicted
    flac = tmp_path / "a.flac"
    soundfile.write(flac, np.zeros(1000), 22050)
    assert verify(flac).statement is None
