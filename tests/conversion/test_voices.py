import datetime
import hashlib
import json
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors.torch import save_file

from moksori.conversion.consents import (
    Consent,
    Usage,
    packs_folder,
    read_consent,
    read_consents,
    revoke,
)
from moksori.conversion.converter import Converter
from moksori.conversion.voices import (
    VoicePack,
    find_target,
    load_pack,
    pack_path,
    place_of_new,
    revoke_voice,
    save_pack,
)
from moksori.errors import CheckpointError, ConfigError, VoiceError
from tests.conftest import DEMO, DEMO_TEXT

TODAY = datetime.date.today()
GOOD = f'who = "홍"\npurpose = "1화"\nuntil = {TODAY + datetime.timedelta(1)}\ncontact = "a@b.kr"\n'


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter.from_pretrained()


def a_pack(
    converter: Converter, name: str, days: int = 0, model: str = "", **more: object
) -> VoicePack:
    """A pack of the voice kih under another name, whose consent ends in some days."""
    until = TODAY + datetime.timedelta(days)
    known = {"who": "홍길동", "purpose": "1화", "until": until, "contact": "hong@example.com"}
    consent = Consent(**known | more)
    voice = converter.voice("kih").model_copy(update={"name": name})
    return VoicePack(voice=voice, consent=consent, model=model or converter.card.sha256)


def own(converter: Converter, name: str = "kih") -> dict[str, torch.Tensor]:
    """A voice's row, as a pack holds it."""
    row = [voice.name for voice in converter.card.voices].index(name)
    return {"voices.weight": converter.model.voices.weight[row : row + 1]}


def test_an_enrolled_voice_speaks_as_its_weights(converter, tmp_path):
    """A pack with kih's own row converts as kih does; with another's output it does not."""
    save_pack(tmp_path / "홍길동.safetensors", own(converter), a_pack(converter, "홍길동"))
    louder = own(converter) | {"decoder.mel.bias": converter.model.decoder.mel.bias + 1}
    save_pack(tmp_path / "loud.safetensors", louder, a_pack(converter, "loud"))
    mine = Converter.from_pretrained(packs=tmp_path)
    theirs = mine.convert(DEMO, DEMO_TEXT, "kih")
    ours = mine.convert(DEMO, DEMO_TEXT, "홍길동")
    torch.testing.assert_close(torch.tensor(ours.mel), torch.tensor(theirs.mel))
    loud = mine.convert(DEMO, DEMO_TEXT, "loud").mel
    near = {"atol": 0.02, "rtol": 0}  # it is decoded again by its own, louder energies
    torch.testing.assert_close(torch.tensor(loud), torch.tensor(theirs.mel) + 1, **near)
    again = mine.convert(DEMO, DEMO_TEXT, "kih").mel  # the model itself was left as it is
    torch.testing.assert_close(torch.tensor(again), torch.tensor(theirs.mel))


def test_the_model_is_left_alone_while_an_enrolled_voice_speaks(converter, tmp_path):
    """So that another thread can convert to another voice meanwhile."""
    save_pack(tmp_path / "hong.safetensors", own(converter), a_pack(converter, "hong", 1))
    mine, rows = Converter.from_pretrained(packs=tmp_path), []
    handle = mine.model.decoder.register_forward_pre_hook(
        lambda *_: rows.append(len(mine.model.voices.weight))
    )
    mine.convert(DEMO, DEMO_TEXT, "hong")
    handle.remove()
    assert {*rows} == {len(mine.card.voices)}


def test_threads_convert_with_one_converter(converter, tmp_path):
    louder = own(converter) | {"decoder.mel.bias": converter.model.decoder.mel.bias + 1}
    save_pack(tmp_path / "loud.safetensors", louder, a_pack(converter, "loud", 1))
    mine = Converter.from_pretrained(packs=tmp_path)
    asked = ["lmy", "loud", "kih", "loud"] * 3

    def mel(voice):
        return mine.convert(DEMO, DEMO_TEXT, voice).mel.tobytes()

    alone = {voice: mel(voice) for voice in {*asked}}
    with ThreadPoolExecutor(4) as pool:
        for voice, made in zip(asked, pool.map(mel, asked), strict=True):
            assert made == alone[voice]


@pytest.mark.parametrize(
    ("days", "model", "message"),
    [(-1, "", "consent ended on .* ask hong@example.com"), (1, "0" * 64, "on another model")],
)
def test_a_voice_without_its_consent_or_model_is_refused(converter, tmp_path, days, model, message):
    """Also by a converter that has spoken in it when it still might."""
    path = tmp_path / "hong.safetensors"
    save_pack(path, own(converter), a_pack(converter, "hong"))
    mine = Converter.from_pretrained(packs=tmp_path)
    assert mine.voice("hong").name == "hong"
    save_pack(path, own(converter), a_pack(converter, "hong", days, model))
    with pytest.raises(VoiceError, match=message):
        mine.convert(DEMO, DEMO_TEXT, "hong")
    path.unlink()
    with pytest.raises(VoiceError, match="no voice “hong”"):
        mine.voice("hong")


def test_what_is_no_pack_is_told(converter, tmp_path):
    (tmp_path / "text.safetensors").write_text("no")
    save_file({"row": torch.zeros(64)}, tmp_path / "other.safetensors")
    pack = a_pack(converter, "later", 1).model_copy(update={"format": 99})
    save_pack(tmp_path / "later.safetensors", own(converter), pack)
    save_pack(tmp_path / "park.safetensors", own(converter), a_pack(converter, "hong", 1))
    for name, message in (
        ("text", "damaged"), ("other", "no voice pack"), ("later", "newer"),
        ("park", "holds the voice “hong”"),
    ):  # fmt: skip
        with pytest.raises(CheckpointError, match=message):
            load_pack(tmp_path / f"{name}.safetensors")
    for name in ("../secret", "한" * 200):
        with pytest.raises(VoiceError, match="cannot be a voice's name"):
            Converter.from_pretrained(packs=tmp_path).voice(name)
    with pytest.raises(VoiceError, match="nearest are lmy"):
        Converter.from_pretrained(packs=tmp_path).voice("lmyy")
    for name in ("없음", "홍길동"):  # like none of them
        with pytest.raises(VoiceError) as error:
            Converter.from_pretrained(packs=tmp_path).voice(name)
        assert error.value.say("ko").startswith(f"“{name}”: 없는 목소리입니다. `moksori voices`")


def test_a_name_that_a_mac_has_decomposed_is_found(converter, tmp_path):
    """Either way round: in the file's name, or in what is asked for."""
    decomposed = unicodedata.normalize("NFD", "홍길동")
    save_pack(tmp_path / f"{decomposed}.safetensors", own(converter), a_pack(converter, "홍길동"))
    for name in ("홍길동", decomposed):
        assert pack_path(tmp_path, name).is_file()
        assert Converter.from_pretrained(packs=tmp_path).voice(name).name == "홍길동"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("who", "whose"), "unknown key"),
        (GOOD.replace('"홍"', '""'), "“who”"),
        (GOOD.replace('contact = "a@b.kr"', ""), "“contact” is missing"),
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
    path.write_text(GOOD, encoding="utf-8-sig")  # as Notepad does
    assert read_consent(path).who == "홍"
    with pytest.raises(ConfigError, match="examples/consent"):
        read_consent(tmp_path / "none.toml")


def spoiled_packs(converter, folder):
    """A pack each way, and what is said of it."""
    rows = own(converter)
    whole = folder / "whole.safetensors"
    save_pack(whole, rows, a_pack(converter, "whole", 1))
    content = whole.read_bytes()

    def other(name, new):
        (folder / f"{name}.safetensors").write_bytes(new)

    first = 8 + int.from_bytes(content[:8], "little")  # behind the header and what fills it up
    for at in range(first, len(content), len(content) // 7):
        other("whole", content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        yield "whole", "is not what was enrolled|not numbers"
    other("whole", content.replace("홍길동".encode(), "김길동".encode()))  # the consent
    yield "whole", "is not what was enrolled"
    other("whole", content[:-8])
    yield "whole", "damaged"
    for value in (float("nan"), float("inf")):
        bad = {"voices.weight": torch.full_like(rows["voices.weight"], value)}
        save_pack(folder / "bad.safetensors", bad, a_pack(converter, "bad", 1))
        yield "bad", "not numbers"
    bias = {"decoder.mel.bias": converter.model.decoder.mel.bias}
    save_pack(folder / "rowless.safetensors", bias, a_pack(converter, "rowless", 1))
    yield "rowless", "no weights of a voice"
    for name, weights in (
        ("wide", {"voices.weight": torch.zeros(1, 7)}),
        ("foreign", rows | {"no.such": torch.zeros(3)}),
        ("long", rows | {"decoder.mel.bias": torch.zeros(81)}),
    ):
        save_pack(folder / f"{name}.safetensors", weights, a_pack(converter, name, 1))
        yield name, "on another model"
    os.mkfifo(folder / "pipe.safetensors")
    yield "pipe", "no voice"
    other(
        "deep",
        (9 * 10**5 + 60).to_bytes(8, "little") + b'{"__metadata__":{"moksori":"' + b"[" * 10**5,
    )
    yield "deep", "damaged"


def test_a_spoiled_pack_never_speaks(converter, tmp_path):
    """Flipped bits, weights that are no numbers, no row, another model's weights, a pipe."""
    mine = Converter.from_pretrained(packs=tmp_path)
    for name, said in spoiled_packs(converter, tmp_path):
        with pytest.raises((VoiceError, CheckpointError), match=said):
            mine.voice(name)


def test_a_pack_from_before_the_checksum_still_speaks(converter, tmp_path):
    """As format 1 wrote it."""
    pack = a_pack(converter, "old", 1)
    header = json.dumps({**json.loads(pack.model_dump_json(exclude={"sha256"})), "format": 1})
    save_file(own(converter), tmp_path / "old.safetensors", {"moksori": header})
    assert Converter.from_pretrained(packs=tmp_path).voice("old").name == "old"


@pytest.mark.parametrize("format", [2, 3])
def test_a_pack_of_an_older_format_still_speaks(converter, tmp_path, format):
    """Its checksum is of the very words that Moksori wrote then, which had no treble."""
    pack = a_pack(converter, "old", 1)
    header = {
        "format": format,
        "voice": json.loads(pack.voice.model_dump_json(exclude={"treble"})),
        "consent": {"who": "홍길동", "purpose": "1화",
                    "until": str(TODAY + datetime.timedelta(1)), "contact": "hong@example.com"},
        "model": converter.card.sha256,
    }  # fmt: skip
    row = own(converter)["voices.weight"].detach().float().contiguous()
    digest = hashlib.sha256(json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode())
    digest.update(f"voices.weight {[*row.shape]}".encode() + row.numpy().tobytes())
    header["sha256"] = digest.hexdigest()
    path = tmp_path / "old.safetensors"
    save_file({"voices.weight": row}, path, {"moksori": json.dumps(header)})
    assert Converter.from_pretrained(packs=tmp_path).voice("old").name == "old"


def test_a_pack_is_held_to_purpose_and_title(converter, tmp_path):
    pack = a_pack(converter, "hong", 1, uses=["preview"], titles=["달 토끼", "Moon Rabbit"])
    save_pack(tmp_path / "hong.safetensors", own(converter), pack)
    for usage in (Usage("preview", "달토끼"), Usage("preview", "moon rabbit")):
        assert Converter.from_pretrained(packs=tmp_path, usage=usage).voice("hong")
    for usage, code in (
        (Usage(), "voice.ask_purpose"),
        (Usage("research", "달 토끼"), "voice.purpose"),
        (Usage("preview"), "voice.ask_title"),
        (Usage("preview", "달 토끼 2"), "voice.title"),
    ):
        with pytest.raises(VoiceError) as error:
            Converter.from_pretrained(packs=tmp_path, usage=usage).voice("hong")
        assert error.value.message.code == code
        assert "hong@example.com" in error.value.say("ko")


def test_a_revoked_consent_holds_for_every_copy(converter, tmp_path):
    """Also of a converter that is at work, and of the pack copied back or enrolled anew."""
    path = tmp_path / "hong.safetensors"
    save_pack(path, own(converter), a_pack(converter, "hong", 1))
    save_pack(tmp_path / "kim.safetensors", own(converter), a_pack(converter, "kim", 1, who="김"))
    mine, content = Converter.from_pretrained(packs=tmp_path), path.read_bytes()
    assert mine.voice("hong")
    consent = load_pack(path)[1].consent
    first = revoke(tmp_path, "hong", consent, "a letter")
    assert revoke(tmp_path, "hong", consent) == first
    path.unlink()
    path.write_bytes(content)
    save_pack(tmp_path / "hong2.safetensors", own(converter), a_pack(converter, "hong2", 1))
    for name in ("hong", "hong2"):  # the same consent under another name
        with pytest.raises(VoiceError, match="was revoked on"):
            mine.convert(DEMO, DEMO_TEXT, name)
    assert mine.voice("kim")
    revoked = tmp_path / "revoked.jsonl"
    revoked.write_bytes(b"\xef\xbb\xbf" + revoked.read_bytes().rstrip())  # by an editor
    revoke(tmp_path, "kim", load_pack(tmp_path / "kim.safetensors")[1].consent)
    for name in ("hong", "kim"):
        with pytest.raises(VoiceError, match="was revoked on"):
            mine.voice(name)
    with revoked.open("a") as file:
        file.write("{cut")
    with pytest.raises(VoiceError, match="list of revocations cannot be read"):
        mine.voice("kim")
    assert mine.voice("lmy")  # which needs no consent


def test_a_revoked_consent_holds_in_whatever_folder_a_copy_is(converter, tmp_path):
    """Of a pack that was copied before, and of a model's own voice, which lies in no folder of packs."""
    used, copied, other = (tmp_path / name for name in ("used", "copied", "other"))
    for folder in (used, copied):
        folder.mkdir()
        save_pack(folder / "hong.safetensors", own(converter), a_pack(converter, "hong", 1))
    theirs = a_pack(converter, "lmy", 1, who="김").consent
    card = converter.card.model_copy(update={"consents": {"lmy": theirs}})
    for folder in (used, copied, other):
        assert find_target("lmy", card, folder, converter.model).consent
    for name, folders in (("hong", (used, copied)), ("lmy", (used, copied, other, packs_folder()))):
        revoke_voice(name, card, used)
        for folder in folders:
            with pytest.raises(VoiceError, match="was revoked on"):
                find_target(name, card, folder, converter.model)
    for folder in (used, packs_folder()):
        assert len((folder / "revoked.jsonl").read_text().splitlines()) == 2
    assert not (copied / "revoked.jsonl").exists()


def revoked_yesterday(packs, voice, consent):
    """A consent that was taken back a day ago."""
    revoke(packs, voice, consent)
    for path in {packs / "revoked.jsonl", packs_folder() / "revoked.jsonl"}:
        path.write_text(path.read_text().replace(str(TODAY), str(TODAY - datetime.timedelta(1))))


def test_a_revoked_voice_needs_a_consent_that_says_that_it_is_newer(converter, tmp_path):
    """A letter changed in the record of what it is for, of the person, or of the voice is no new consent."""
    old = a_pack(converter, "hong", 1).consent
    revoked_yesterday(tmp_path, "hong", old)

    def taken_in(name, **changed):
        return place_of_new(name, converter.card, tmp_path, old.model_copy(update=changed))

    for name, changed in (
        ("hong", {}),
        ("hong", {"purpose": "1화."}),
        ("hong2", {"purpose": "1화."}),  # the same person
        ("hong", {"purpose": "1화.", "who": "홍길둥"}),  # the same voice
        ("hong2", {"purpose": "1화.", "who": "홍 길동"}),
        ("hong", {"given": TODAY - datetime.timedelta(1)}),  # the day of the revocation
        ("hong", {"given": TODAY + datetime.timedelta(1)}),
    ):
        with pytest.raises(VoiceError, match="a new one is needed") as error:
            taken_in(name, **changed)
        assert str(TODAY - datetime.timedelta(1)) in error.value.say("ko")
    assert taken_in("hong", given=TODAY) == tmp_path / "hong.safetensors"
    assert taken_in("kim", who="김") == tmp_path / "kim.safetensors"


def test_another_copy_of_a_revoked_voice_is_refused_whatever_its_consent_says_else(
    converter, tmp_path
):
    """As one that was enrolled where nobody knew; another voice, another person, and a newer consent hold."""
    old = a_pack(converter, "hong", 1).consent
    revoked_yesterday(tmp_path, "hong", old)
    mine = Converter.from_pretrained(packs=tmp_path)
    for name, usable, changed in (
        ("hong", False, {"until": TODAY + datetime.timedelta(2)}),
        ("hong", True, {"given": TODAY}),
        ("hong", True, {"who": "김"}),  # whose voice is called the same
        ("hong2", True, {"purpose": "2화"}),  # which was not revoked
    ):
        save_pack(
            tmp_path / f"{name}.safetensors", own(converter), a_pack(converter, name, 1, **changed)
        )
        if usable:
            assert mine.voice(name)
            continue
        with pytest.raises(VoiceError, match="was revoked on"):
            mine.voice(name)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_list_of_revocations_that_leads_nowhere_is_damaged(converter, tmp_path, kind):
    """As a link to a drive that is away."""
    save_pack(tmp_path / "hong.safetensors", own(converter), a_pack(converter, "hong", 1))
    path = tmp_path / "revoked.jsonl"
    path.mkdir() if kind == "folder" else path.symlink_to(tmp_path / "away" / "revoked.jsonl")
    with pytest.raises(VoiceError, match="list of revocations cannot be read"):
        Converter.from_pretrained(packs=tmp_path).voice("hong")


def test_both_consents_of_a_name_are_taken_back(converter, tmp_path):
    """Of the model's own voice, however a Mac writes its name, and of a pack that is called the same."""
    name, typed = "김", unicodedata.normalize("NFD", "김")
    theirs = a_pack(converter, name, 1, who="김").consent
    voices = [converter.card.voices[0].model_copy(update={"name": name})]
    card = converter.card.model_copy(update={"voices": voices, "consents": {name: theirs}})
    alone = converter.card
    save_pack(tmp_path / f"{name}.safetensors", own(converter), a_pack(converter, name, 1))
    for each in (card, alone):
        assert find_target(typed, each, tmp_path, converter.model).consent
    first = revoke_voice(typed, card, tmp_path, "a letter")
    for each in (card, alone):
        with pytest.raises(VoiceError, match="was revoked on"):
            find_target(typed, each, tmp_path, converter.model)
    assert len((tmp_path / "revoked.jsonl").read_text().splitlines()) == 2
    assert revoke_voice(name, card, tmp_path) == first
    with pytest.raises(VoiceError, match="no consent to revoke"):
        revoke_voice("lmy", alone, tmp_path)


def test_delivered_files_can_name_a_consent_that_nobody_can_guess(converter, tmp_path):
    for name in ("a", "b"):
        save_pack(tmp_path / f"{name}.safetensors", own(converter, "kih" if name == "a" else "lmy"),
                  a_pack(converter, name, 1))  # fmt: skip
    mine = Converter.from_pretrained(packs=tmp_path)
    a, b = mine.target("a"), mine.target("b")
    assert a.consent == b.consent
    assert a.reference != b.reference  # it depends on weights that only its holder has
    assert a.reference == mine.target("a").reference
    assert mine.target("lmy").reference == ""


def test_the_consents_of_all_speakers_are_wanted(tmp_path):
    path = tmp_path / "consents.toml"
    one = f'[voices."김"]\n{GOOD}'
    path.write_text(one + f'[voices."{unicodedata.normalize("NFD", "박")}"]\n{GOOD}')
    found = read_consents(path, ["김", "박", "박"])
    assert {*found} == {"김", "박"}
    with pytest.raises(ConfigError, match="no consent from 이, 최"):
        read_consents(path, ["김", "최", "이"])
    path.write_text(one.replace(str(TODAY + datetime.timedelta(1)), "2020-01-01"))
    with pytest.raises(ConfigError, match="of 김 has ended"):
        read_consents(path, ["김"])
    path.write_text(one)
    revoke(tmp_path, "김", found["김"])
    for consent in (one, one.replace("1화", "1화.")):  # a letter changed in it
        path.write_text(consent)
        with pytest.raises(ConfigError, match="of 김 was revoked"):
            read_consents(path, ["김"])
    revoked_yesterday(tmp_path, "김", found["김"])
    path.write_text(f"{one}given = {TODAY}\n")
    assert read_consents(path, ["김"])["김"].given == TODAY


def test_a_model_that_gives_no_numbers_is_an_error_and_not_a_sound(
    converter, tmp_path, monkeypatch
):
    def nothing(self, mel, *given):
        return torch.full((1, mel.shape[1] * self.hop_length), torch.nan)

    monkeypatch.setattr(type(converter.vocoder), "forward", nothing)
    with pytest.raises(CheckpointError, match="gave no numbers"):
        converter.convert(DEMO, DEMO_TEXT, "kih")


def test_a_pack_s_treble_is_under_its_checksum_and_within_bounds(converter, tmp_path):
    pack = a_pack(converter, "hong", 1)
    bright = pack.model_copy(
        update={"voice": pack.voice.model_copy(update={"treble": (3.0, 2.0, 1.0)})}
    )
    path = tmp_path / "hong.safetensors"
    save_pack(path, own(converter), bright)
    assert Converter.from_pretrained(packs=tmp_path).voice("hong").treble == (3.0, 2.0, 1.0)
    path.write_bytes(path.read_bytes().replace(b"[3.0,2.0,1.0]", b"[3.0,2.0,9.0]"))
    with pytest.raises(CheckpointError, match="is not what was enrolled"):
        Converter.from_pretrained(packs=tmp_path).voice("hong")
    path.write_bytes(path.read_bytes().replace(b"[3.0,2.0,9.0]", b"[3.0,2.0,9e9]"))
    with pytest.raises(CheckpointError, match="treble"):
        Converter.from_pretrained(packs=tmp_path).voice("hong")
