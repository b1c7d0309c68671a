"""One consent, by purpose and title, then taken back: held by convert, dub and Studio alike."""

import datetime
import time

import pytest
from typer.testing import CliRunner

from moksori.cli import app
from moksori.conversion.consents import Consent, Usage, revoke
from moksori.conversion.converter import Converter
from moksori.conversion.voices import VoicePack, load_pack, save_pack
from moksori.dubbing.check import check
from moksori.dubbing.request import JobFile
from moksori.dubbing.task import Setup
from moksori.errors import VoiceError
from moksori.studio.session import Session
from moksori.studio.view import job_view
from tests.conftest import DEMO, DEMO_TEXT
from tests.dubbing.conftest import request, show  # noqa: F401

USES = [  # what is asked, and what is wrong with it
    ({}, "--purpose"),
    ({"purpose": "research", "title": "달 토끼"}, "research"),
    ({"purpose": "preview"}, "--title"),
    ({"purpose": "preview", "title": "해 토끼"}, "해 토끼"),
    ({"purpose": "preview", "title": "달  토끼"}, ""),
]


@pytest.fixture
def packs(tmp_path):
    """The voice kih as hong's, who agreed to previews of one show."""
    converter = Converter.from_pretrained()
    row = [voice.name for voice in converter.card.voices].index("kih")
    consent = Consent(
        who="홍길동", purpose="1화", until=datetime.date.today(), contact="hong@example.com",
        uses=("preview",), titles=("달 토끼",),
    )  # fmt: skip
    voice = converter.voice("kih").model_copy(update={"name": "hong"})
    pack = VoicePack(voice=voice, consent=consent, model=converter.card.sha256)
    folder = tmp_path / "packs"
    folder.mkdir()
    weights = {"voices.weight": converter.model.voices.weight[row : row + 1]}
    save_pack(folder / "hong.safetensors", weights, pack)
    return folder


def take_back(packs):
    revoke(packs, "hong", load_pack(packs / "hong.safetensors")[1].consent)


def by_convert(packs, tmp_path, asked):
    """What the command says; "" if it converts."""
    options = [word for key, value in asked.items() for word in (f"--{key}", value)]
    out = tmp_path / "line.wav"
    out.unlink(missing_ok=True)
    done = CliRunner().invoke(
        app, ["convert", str(DEMO), "--text", DEMO_TEXT, "--voice", "hong", "--packs", str(packs),
              "-o", str(out), "--lang", "en", *options],
    )  # fmt: skip
    assert out.exists() == (done.exit_code == 0)
    return "" if done.exit_code == 0 else str(done.exception)


def by_dub(packs, show, asked):  # noqa: F811
    setup = Setup(packs=packs, usage=Usage(asked.get("purpose"), asked.get("title", "")))
    found = check(request(show, setup=setup))
    faults = [fault.say("en") for fault in found.faults if fault.kind == "voice"]
    assert len(faults) in (0, 2)  # hong's two lines
    return faults[0] if faults else ""


@pytest.fixture
def workers(request, wrong):
    """Studio's own begin once: where nothing is wrong."""
    if wrong:
        request.getfixturevalue("in_process")


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "wrong"), USES)
def test_purpose_and_title_are_held_by_each(packs, show, tmp_path, workers, asked, wrong):  # noqa: F811
    (show / "cast.toml").write_text((show / "cast.toml").read_text().replace("lmy", "hong"))
    for said in (by_convert(packs, tmp_path, asked), by_dub(packs, show, asked)):
        assert bool(said) == bool(wrong), said
        assert wrong in said
    (show / "job").mkdir()
    JobFile(
        script=show / "script.xlsx", audio=show / "takes", cast=show / "cast.toml", fps="25", packs=packs
    ).save(show / "job")  # fmt: skip
    session = Session(show, workers=1)
    try:
        session.open_folder(show / "job")
        assert of_studio(session)  # nothing is said yet
        assert asks_for_use(session)
        session.save(**asked)
        assert bool(of_studio(session)) == bool(wrong)
        if not wrong:
            assert session.singles.sample("hong")
            take_back(packs)
            session.the_desk().refresh()
            assert "revoked" in of_studio(session)[0]
            assert "use another voice" in of_studio(session)[0]
            assert not asks_for_use(session)
            with pytest.raises(VoiceError, match="revoked"):
                session.singles.sample("hong")  # also what was heard before
            assert "revoked" in by_convert(packs, tmp_path, asked)
            assert "revoked" in by_dub(packs, show, asked)
    finally:
        session.close()


def of_studio(session):
    """What the page's check says of the voice."""
    session.the_desk().refresh()
    while any(work.state in ("waiting", "running") for work in session.works.all()):
        time.sleep(0.02)
    return [fault.say("en") for fault in session.the_desk().checked.faults if fault.kind == "voice"]


def asks_for_use(session):
    """Whether title and purpose can be entered beside what is wrong with the voice."""
    (asks,) = {
        issue["of_use"]
        for issue in job_view(session.the_desk(), "en")["issues"]
        if issue["kind"] == "voice"
    }
    return asks
