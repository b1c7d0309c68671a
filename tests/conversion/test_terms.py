"""What licences and consents allow, and that a use which they do not allow is refused."""

import json
import shutil

import pytest

from moksori.conversion.card import load_card
from moksori.conversion.checkpoint import load_conversion, save_model
from moksori.conversion.consents import Consent, Usage
from moksori.conversion.converter import Converter
from moksori.conversion.parts import parts_of, said_of_use
from moksori.conversion.terms import Terms, judged
from moksori.errors import CheckpointError, ConfigError, VoiceError
from moksori.weights import MODEL, RECOGNISER, VOCODERS
from tests.conftest import DEMO, DEMO_TEXT


def consent(**more) -> Consent:
    known = {"who": "홍길동", "purpose": "1화", "until": "2999-01-01", "contact": "010-0000-0000"}
    return Consent(**known | more)


@pytest.mark.parametrize(
    ("licence", "commercial"),
    [
        ("CC0 1.0", "yes"),
        ("CC0 1.0; and Apache-2.0", "yes"),
        ("CC BY 4.0 (somebody)", "yes"),
        ("Apache-2.0; and our own", "unknown"),
        ("CC BY-NC-SA 4.0 (KAIST): research only", "no"),
        ("CC0 1.0; and CC-BY-NC-4.0", "no"),
        ("비상업용", "no"),
        ("○○녹음실 소유, 성우 동의서 2026-11", "unknown"),
        ("commercial use welcome", "unknown"),  # nobody here can judge that
        ("none", "unknown"),
        ("", "unknown"),
    ],
)
def test_only_licences_that_are_known_by_name_are_judged(licence, commercial):
    assert judged(licence) == commercial


def test_what_is_bundled_says_what_its_licence_files_say():
    cards = {
        folder: json.loads((folder / "model.json").read_text()) for folder in VOCODERS.values()
    }
    verdicts = {folder.name: judged(card["licence"]) for folder, card in cards.items()}
    assert verdicts == {"wide": "no", "fast": "no", "clean": "yes"}
    assert Terms.of_card(load_card(MODEL)).commercial == "no"


def test_a_declaration_cannot_give_what_licence_or_consents_do_not():
    yes, no = consent(uses=["commercial"]), consent(uses=["preview"])
    assert Terms.declared("ours", None, {}).commercial == "unknown"
    assert Terms.declared("ours", True, {}).commercial == "yes"
    assert Terms.declared("ours", True, {"a": yes}).commercial == "yes"
    assert Terms.declared("ours", True, {"a": yes, "b": consent()}).commercial == "unknown"
    assert Terms.declared("ours", None, {"a": no}).commercial == "no"
    with pytest.raises(ConfigError, match="does not allow"):
        Terms.declared("CC BY-NC 4.0", True, {})
    with pytest.raises(ConfigError, match="consents of b"):
        Terms.declared("ours", True, {"a": yes, "b": no})
    joined = Terms.joined([Terms.declared("ours", True, {"a": yes}), Terms.of_licence("CC0 1.0")])
    assert (joined.licence, joined.commercial) == ("ours; and CC0 1.0", "yes")
    assert Terms.joined([joined, Terms.of_licence("research only")]).commercial == "no"
    again = Terms.joined([joined, Terms.of_licence("CC0 1.0"), joined])
    assert again.licence == joined.licence  # of what is joined already, each once too


@pytest.fixture(scope="module")
def own_model(tmp_path_factory):
    """The bundled weights under a card as a studio's: commercial, with consents of two voices."""
    model, card = load_conversion(MODEL)
    folder = tmp_path_factory.mktemp("own") / "model"
    consents = {"lmy": consent(uses=["commercial"], titles=["달 토끼"]), "kih": consent()}
    save_model(
        folder, model.state_dict(),
        card.model_copy(update={"licence": "ours", "commercial": "yes", "consents": consents}),
    )  # fmt: skip
    return folder


def commercial(folder, **more):
    return Converter.from_pretrained(
        folder, "clean", usage=Usage("commercial", "달토끼"), recogniser=more.pop("hears", None)
    )


def test_commercial_use_is_refused_where_one_part_forbids_it(own_model):
    usage = Usage("commercial", "")
    for asked, part in (
        ({}, "the model"),
        ({"model": own_model}, "the vocoder"),
        ({"model": own_model, "vocoder": "clean"}, "the recogniser"),
    ):
        with pytest.raises(CheckpointError, match=part):
            Converter.from_pretrained(**asked, usage=usage)
    assert commercial(own_model, hears="off").recogniser is None
    assert Converter.from_pretrained(usage=Usage("research")).voice("lmy")


def test_a_voice_of_the_model_is_held_to_its_consent(own_model, tmp_path):
    made = commercial(own_model, hears="off")
    assert made.convert(DEMO, DEMO_TEXT, "lmy").samples.std() > 0  # 달토끼 is 달 토끼
    for usage, why in (
        (Usage("preview", "달 토끼"), "does not cover the purpose preview"),
        (Usage(None, "달 토끼"), "say what this is for with --purpose"),
        (Usage("commercial", "해 토끼"), "does not cover 「해 토끼」"),
        (Usage("commercial"), "name the show with --title"),
    ):
        other = Converter.from_pretrained(own_model, "clean", recogniser="off", usage=usage)
        with pytest.raises(VoiceError, match=why):
            other.convert(DEMO, DEMO_TEXT, "lmy")
        assert other.voice("kih").name == "kih"  # whose consent says less


def test_the_report_says_what_is_allowed_and_names_nobody(own_model):
    made = commercial(own_model, hears="off")
    said = "\n".join(row.say("en") for row in said_of_use(made, ["lmy", "ava"]))
    assert "ours; commercial use allowed" in said
    assert "all together: commercial use allowed" in said
    assert "the recogniser is off" in said
    assert made.target("lmy").reference in said
    assert "홍길동" not in said and "010" not in said
    bundled = Converter.from_pretrained(own_model, "clean")
    said = "\n".join(row.say("en") for row in said_of_use(bundled, ["kih"]))
    assert "the bundled one, which is not for commercial use, was used" in said
    assert "all together: no commercial use" in said


def test_a_model_brings_its_own_recogniser(own_model, tmp_path):
    """Found beside its weights; another may be named; without one the bundled one serves."""
    assert Converter.from_pretrained(own_model).recogniser == RECOGNISER
    folder = tmp_path / "model"
    shutil.copytree(own_model, folder)
    shutil.copytree(RECOGNISER, folder / "recogniser")
    card = json.loads((folder / "recogniser" / "model.json").read_text())
    (folder / "recogniser" / "model.json").write_text(
        json.dumps(card | {"licence": "ours", "commercial": "yes"})
    )
    made = commercial(folder)
    assert made.recogniser == folder / "recogniser"
    assert [part.terms.commercial for part in parts_of(made)] == ["yes"] * 3
    assert made.convert(DEMO, None, "kih").samples.std() > 0
    assert commercial(own_model, hears=folder / "recogniser").recogniser == folder / "recogniser"
    off = commercial(own_model, hears="off")
    with pytest.raises(CheckpointError, match="without a recogniser"):
        off.convert(DEMO, None, "kih")
    with pytest.raises(CheckpointError, match="no recogniser"):
        Converter.from_pretrained(own_model, recogniser="no/such")
    with pytest.raises(CheckpointError):
        Converter.from_pretrained(own_model, recogniser=VOCODERS["clean"]).listener  # noqa: B018


def test_a_card_keeps_its_terms(own_model):
    card = load_card(own_model)
    terms = Terms.of_card(card)
    assert terms.commercial == "yes"
    assert terms.consents["lmy"].titles == ("달 토끼",)
    stored = json.loads((own_model / "model.json").read_text())
    assert "titles" not in stored["consents"]["kih"]  # nothing is said that nobody said
