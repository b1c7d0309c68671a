"""A job's folder is rid of what nothing refers to, and of nothing else."""

import unicodedata

import pytest
from typer.testing import CliRunner

from moksori.cli import app
from moksori.conversion.consents import Consent
from moksori.conversion.converter import Converter
from moksori.conversion.voices import VoicePack, save_pack
from moksori.dubbing.check import check
from moksori.dubbing.job import audition
from moksori.dubbing.new_takes import new_take
from moksori.dubbing.prune import prune
from moksori.dubbing.records import HOME
from moksori.dubbing.review import Review
from moksori.dubbing.states import line_states
from moksori.dubbing.store import Store
from moksori.dubbing.task import Setup
from moksori.errors import OutputError
from tests.conftest import DEMO_TEXT
from tests.dubbing.conftest import InProcess, edit, files, request, run

OTHER_TEXT = "글쎄요, 그건 제가 보기에 좀 어려울 것 같네요."


def kept_keys(out):
    return {path.name.partition(".")[0] for path in (out / HOME / "lines").iterdir()}


def test_only_what_nothing_refers_to_goes(copied):
    out = copied / "out"
    first = {line.id: line.key for line in line_states(out)}
    asked = request(copied)
    heard = audition(asked, check(asked), out, lambda: InProcess(asked.setup), "0001_하나", ["kih"])
    tried = heard["kih"].wave.stem
    Review(out).mark("0002_둘", DEMO_TEXT, state="retake", note="더 크게", key=first["0002_둘"])
    with new_take(out, "0001_하나", ".wav") as take:
        take.write_bytes(b"somebody's recording")
    edit(copied, "F2", DEMO_TEXT + "!")  # another version of the first line
    edit(copied, "A3", 12)  # the marked line is gone, as a line of another number is there instead,
    edit(copied, "F3", "아니에요, 저는 그때 거기에 없었다니까요.")
    edit(copied, "A4", 13)  # and so is the third, of which nothing was said
    edit(copied, "F4", OTHER_TEXT)
    run(copied)
    (out / HOME / "lines" / ("0" * 32 + ".wav")).write_bytes(bytes(1000))
    (out / HOME / "delivery").mkdir()
    before, delivered = kept_keys(out), files(out)
    done = prune(out)
    assert [line.id for line in done.lines] == ["0003_하나"]
    gone = {first["0003_하나"], "0" * 32}
    assert {path.name.partition(".")[0] for path in done.files} == gone
    assert done.size > 1000 and not any(path.exists() for path in done.files)
    assert kept_keys(out) == before - gone
    now = {line.key for line in line_states(out)}
    assert {tried, first["0001_하나"], first["0002_둘"], first["0004_둘"], *now} == kept_keys(out)
    assert done.kept > done.versions > 0
    assert {v.key for v in Review(out).versions("0001_하나")} >= {tried, first["0001_하나"]}
    assert not (out / HOME / "delivery").exists() and take.exists()
    assert run(copied)[1] == []  # nothing needs to be converted again
    assert files(out) == delivered
    assert prune(out).files == []


def test_the_command_says_what_it_removed(copied):
    edit(copied, "A4", 13)
    edit(copied, "F4", OTHER_TEXT)
    run(copied)
    said = CliRunner().invoke(app, ["dub", "-o", str(copied / "out"), "--prune", "--lang", "en"])
    assert said.exit_code == 0, said.output
    words = " ".join(said.output.split())
    assert "0003_하나: is no longer in the script" in words
    assert "removed 5 files (2 .flac, 1 .json, 1 .png, 1 .wav)" in words
    assert "0.0 MB are earlier versions" in words
    again = CliRunner().invoke(app, ["dub", "-o", str(copied / "out"), "--prune", "--lang", "en"])
    assert "nothing to remove" in again.output


def test_all_of_a_revoked_voice_goes(show):
    """Its waves are kept as earlier versions of lines that have another voice by now, and in an audition."""
    packs, out = show / "packs", show / "out"
    packs.mkdir()
    converter = Converter.from_pretrained()
    row = [voice.name for voice in converter.card.voices].index("kih")
    consent = Consent(who="홍", purpose="1화", until="2999-12-31", contact="hong@example.com")
    voice = converter.voice("kih").model_copy(update={"name": "홍길동"})
    pack = VoicePack(voice=voice, consent=consent, model=converter.card.sha256)
    weights = {"voices.weight": converter.model.voices.weight[row : row + 1]}
    save_pack(packs / "홍길동.safetensors", weights, pack)
    setup, cast = Setup(packs=packs), (show / "cast.toml").read_text()
    (show / "cast.toml").write_text(cast.replace("lmy", "홍길동"))
    run(show, setup=setup)
    (show / "cast.toml").write_text(cast)
    run(show, setup=setup)
    asked = request(show, setup=setup)
    audition(asked, check(asked), out, lambda: InProcess(asked.setup), "0002_둘", ["홍길동"])
    histories, delivered = Review(out).histories(), files(out)
    theirs = {key for past in histories.values() for key, _, name in past if name == "홍길동"}
    assert len(theirs) == 3 and theirs < kept_keys(out)
    current = {line.key for line in line_states(out)}

    def revoke(*more):
        asked = [
            "revoke",
            unicodedata.normalize("NFD", "홍길동"),
            "--packs",
            packs,
            "--lang",
            "en",
            *more,
        ]
        done = CliRunner().invoke(app, [str(word) for word in asked])
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    prune(out)
    assert theirs < kept_keys(out)
    said = revoke()
    assert "--job FOLDER" in said and theirs < kept_keys(out)
    (packs / "홍길동.safetensors").unlink()
    said = revoke("--job", out)
    assert "removed 15 files" in said and "delivered files stay" in said
    assert kept_keys(out) == current
    assert not any(
        name == "홍길동" for past in Review(out).histories().values() for *_, name in past
    )
    assert files(out) == delivered and run(show, setup=setup)[1] == []
    prune(out, "lmy")  # that lines have now
    assert len(run(show, setup=setup)[1]) == 2 and kept_keys(out) == current


def test_where_there_is_nothing_to_know_nothing_goes(tmp_path):
    with pytest.raises(OutputError, match="no job here"):
        prune(tmp_path)
    Store(tmp_path / "out").close()
    stray = tmp_path / "out" / HOME / "lines" / "a.wav"
    stray.write_bytes(b"1")
    with pytest.raises(OutputError, match="no script has been dubbed"):
        prune(tmp_path / "out")
    assert stray.exists()
