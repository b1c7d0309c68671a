"""One answer to what a script says: of its reader, `moksori text --file`, `cast`, and `dub --check`."""

import json

import openpyxl
import pytest
import soundfile
from typer.testing import CliRunner

from moksori.cli import app
from moksori.dubbing.plan.cast import read_cast
from moksori.script.script import read_script
from tests.conftest import DEMO
from tests.script import test_dapt, test_docx, test_hostile, test_hwpx, test_ods, test_pro_tools

pytestmark = pytest.mark.slow


def dapt(path):
    told = test_dapt.event("<p>안녕?</p>", more='ttm:agent="c1"')
    return test_dapt.write(
        path, told + test_dapt.event("<p>그래.</p>", id="d2", more='ttm:agent="c2"')
    )


def sami(path):
    path.write_bytes(test_hostile.SMI.encode("cp949"))
    return path


def sheet(path):
    path.write_bytes(test_ods.MADE.read_bytes())
    return path


def session(path):
    clips = (
        test_pro_tools.clip("안녕? $QN=101"),
        test_pro_tools.clip("가자! $QN=102", "01:00:20:00", "01:00:21:00"),
    )
    return test_pro_tools.write(path, test_pro_tools.track("하나", *clips))


KINDS = {
    ".docx": lambda path: test_docx.document(path, "하나: 안녕?", "두나: 그래.", "비가 온다."),
    ".hwpx": lambda path: test_hwpx.document(path, "하나: 안녕?", "두나: 그래.", "비가 온다."),
    ".ods": sheet, ".smi": sami, ".dapt": dapt, ".txt": session,
}  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments), "--lang", "en"])


@pytest.mark.parametrize("suffix", KINDS)
def test_the_commands_read_alike(tmp_path, suffix):
    path = KINDS[suffix](tmp_path / f"a{suffix}")
    episode = ("--episode", "1화") if suffix == ".ods" else ()
    content = read_script(path, episode=episode[1] if episode else None)
    told = [m.say("en") for m in [*content.understood, *content.warnings]]
    read = run("text", "--file", path, "--json", *episode)
    assert [json.loads(row)["original"] for row in read.stdout.splitlines()] == [
        line.text for line in content.lines
    ]
    made = run("cast", path, "-o", tmp_path / "cast.toml", *episode)
    assert made.exit_code == 0, made.output
    names = {line.character for line in content.lines}
    cast = (
        (tmp_path / "cast.toml").read_text(encoding="utf-8").replace('voice = ""', 'voice = "lmy"')
    )
    (tmp_path / "cast.toml").write_text(cast, encoding="utf-8")
    assert {*read_cast(tmp_path / "cast.toml").characters} == names - {""}
    takes = tmp_path / "takes"
    takes.mkdir()
    wave, rate = soundfile.read(DEMO)
    for line in content.lines:
        soundfile.write(takes / f"{line.no or line.place.number}.wav", wave, rate)
    looked = run(
        "dub", path, "--audio", takes, "--cast", tmp_path / "cast.toml", "-o", tmp_path / "out",
        "--check", *episode,
    )  # fmt: skip
    found = openpyxl.load_workbook(tmp_path / "out" / "preflight.xlsx").active.iter_rows(
        values_only=True
    )
    listed = "".join(f"{cell}\n" for row in found for cell in row)
    for message in told:
        for said in (read.output, made.output, looked.output + listed):
            assert _bare(message) in _bare(said), (message, said)


def _bare(text):
    """Whatever the width of the screen."""
    return "".join(c for c in text if c.isalnum())
