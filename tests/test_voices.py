import datetime

import pytest
import torch
from safetensors.torch import save_file

from moksori.converter import Converter
from moksori.errors import CheckpointError, ConfigError, VoiceError
from moksori.voices import Consent, VoicePack, list_packs, load_pack, read_consent, save_pack
from tests.conftest import DEMO, DEMO_TEXT

TODAY = datetime.date.today()
GOOD = f'who = "홍"\npurpose = "1화"\nuntil = {TODAY + datetime.timedelta(1)}\ncontact = "a@b.kr"\n'


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter.from_pretrained()


def a_pack(converter: Converter, name: str, days: int = 0, model: str = "") -> VoicePack:
    """A pack of the voice kih under another name, whose consent ends in some days."""
    until = TODAY + datetime.timedelta(days)
    consent = Consent(who="홍길동", purpose="1화", until=until, contact="hong@example.com")
    voice = converter.voice("kih").model_copy(update={"name": name})
    return VoicePack(voice=voice, consent=consent, model=model or converter.card.sha256)


def test_an_enrolled_voice_speaks_as_its_row(converter, tmp_path):
    """A pack with kih's own row converts as kih does, on its consent's last day too."""
    row = converter.model.voices.weight[converter.card.voices.index(converter.voice("kih"))]
    save_pack(tmp_path / "홍길동.safetensors", row, a_pack(converter, "홍길동"))
    mine = Converter.from_pretrained(packs=tmp_path)
    assert (tmp_path / "홍길동.safetensors").stat().st_size < 10_000
    theirs = mine.convert(DEMO, DEMO_TEXT, "kih").samples
    ours = mine.convert(DEMO, DEMO_TEXT, "홍길동").samples
    torch.testing.assert_close(torch.tensor(ours), torch.tensor(theirs))
    assert mine.convert(DEMO, DEMO_TEXT, "홍길동").voice.name == "홍길동"  # added once only
    assert len(mine.card.voices) == len(converter.card.voices) + 1


@pytest.mark.parametrize(
    ("days", "model", "message"),
    [(-1, "", "consent ended on .* ask hong@example.com"), (1, "0" * 64, "on another model")],
)
def test_a_voice_without_its_consent_or_model_is_refused(converter, tmp_path, days, model, message):
    row = converter.model.voices.weight[0]
    save_pack(tmp_path / "hong.safetensors", row, a_pack(converter, "hong", days, model))
    mine = Converter.from_pretrained(packs=tmp_path)
    with pytest.raises(VoiceError, match=message):
        mine.convert(DEMO, DEMO_TEXT, "hong")
    assert [pack.voice.name for pack in list_packs(tmp_path)] == ["hong"]


def test_what_is_no_pack_is_told(converter, tmp_path):
    (tmp_path / "text.safetensors").write_text("no")
    save_file({"row": torch.zeros(64)}, tmp_path / "other.safetensors")
    pack = a_pack(converter, "later", 1).model_copy(update={"format": 99})
    save_pack(tmp_path / "later.safetensors", torch.zeros(64), pack)
    for name, message in (("text", "damaged"), ("other", "no voice pack"), ("later", "newer")):
        with pytest.raises(CheckpointError, match=message):
            load_pack(tmp_path / f"{name}.safetensors")
    with pytest.raises(VoiceError, match="cannot be a voice's name"):
        Converter.from_pretrained(packs=tmp_path).voice("../secret")
    with pytest.raises(VoiceError, match="nearest are lmy"):
        Converter.from_pretrained(packs=tmp_path).voice("lmyy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("who", "whose"), "unknown key"),
        (GOOD.replace('"홍"', '""'), "“who”"),
        (GOOD.replace('contact = "a@b.kr"', ""), "“contact”: Field required"),
        (GOOD.replace(str(TODAY + datetime.timedelta(1)), "2020-01-01"), "ended on 2020-01-01"),
        (GOOD.replace(str(TODAY + datetime.timedelta(1)), '"someday"'), "“until”"),
        ("who =", "not valid TOML"),
    ],
)
def test_a_consent_that_says_too_little_is_refused(tmp_path, text, message):
    path = tmp_path / "consent.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_consent(path)


def test_consents_are_read(tmp_path):
    path = tmp_path / "consent.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_consent(path).who == "홍"
    with pytest.raises(ConfigError, match="examples/consent"):
        read_consent(tmp_path / "none.toml")
