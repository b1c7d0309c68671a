import json
import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import openpyxl
import pytest
import soundfile
import torch
from praatio import textgrid
from typer.testing import CliRunner

from moksori.cli import app, console, main
from moksori.conversion.card import load_card
from moksori.conversion.consents import Consent
from moksori.conversion.converter import Converter
from moksori.conversion.voices import VoicePack, save_pack
from moksori.errors import LexiconError
from moksori.weights import MODEL
from tests.conftest import DEMO, DEMO_TEXT, voiced_wave, write_corpus

pytestmark = pytest.mark.slow


@pytest.fixture
def moksori(capsys, monkeypatch):
    """Runs a command as `python -m moksori` does, but in this process; gives its exit code and words."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["moksori", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, stop.value.code or 0, said.out, said.err)

    monkeypatch.setattr(console, "language", "en")  # what `main` changes, put back
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    return run


def test_convert_writes_the_line_and_its_picture(tmp_path):
    """In a process of its own, as a user runs it."""
    out, plot = tmp_path / "out.wav", tmp_path / "out.png"
    command = [sys.executable, "-m", "moksori", "convert", DEMO, "--text", DEMO_TEXT, "--voice", "lmy",
               "-o", out, "--plot", plot]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "alignment confidence 0." in done.stdout
    assert done.stderr.count("all together: no commercial use") == 1
    assert soundfile.info(out).frames == soundfile.info(DEMO).frames
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_convert_takes_a_sound_without_words(moksori, tmp_path):
    out = tmp_path / "out.wav"
    asked = ("convert", DEMO, "--text", "(웃음)", "--voice", "kih", "-o", out)
    refused = moksori(*asked, "--recogniser", "off")
    assert refused.returncode == 2 and "without a recogniser" in " ".join(refused.stderr.split())
    done = moksori(*asked)
    said = " ".join(done.stdout.split())
    assert done.returncode == 0 and "converted without a text: please listen" in said
    assert "confidence" not in said + done.stderr  # there is no text that it could be of
    (rate, wave), source = soundfile.read(out)[::-1], soundfile.read(DEMO)[0]
    assert rate == soundfile.info(DEMO).samplerate and wave.shape == source.shape
    assert not np.allclose(wave, source, atol=0.01)


def test_convert_says_that_effort_has_nothing_to_measure_against(moksori, tmp_path):
    asked = ("convert", DEMO, "--text", DEMO_TEXT, "--voice", "kih", "--force", "-o")
    plain, alone, beside = (tmp_path / name for name in ("plain.wav", "alone.wav", "beside.wav"))
    assert "made no difference" not in moksori(*asked, plain).stderr
    said = moksori(*asked, alone, "--effort", "1.5", "--actor", DEMO).stderr
    assert "--effort 1.5 made no difference" in said
    np.testing.assert_array_equal(soundfile.read(alone)[0], soundfile.read(plain)[0])
    wave, rate = soundfile.read(DEMO)
    soundfile.write(tmp_path / "other.wav", np.convolve(wave, [1, -0.9]), rate)  # with more effort
    said = moksori(*asked, beside, "--effort", "1.5", "--actor", tmp_path / "other.wav").stderr
    assert "made no difference" not in said
    assert not np.array_equal(soundfile.read(beside)[0], soundfile.read(plain)[0])


@pytest.fixture
def bad(tmp_path):
    """A folder with one file of each bad kind."""
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("녹음 아님")
    (tmp_path / "cut.wav").write_bytes(DEMO.read_bytes()[: DEMO.stat().st_size // 2])
    soundfile.write(tmp_path / "silent.wav", np.zeros(22050), 22050)
    (tmp_path / "exists.wav").write_bytes(b"mine")
    (tmp_path / "pickle.pt").write_bytes(b"x")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "model.json").write_text("{")
    return tmp_path


CASES = [
    ({"in": "missing.wav"}, "no such file"),
    ({"in": "empty.wav"}, "empty"),
    ({"in": "silent.wav"}, "silent"),
    ({"in": "cut.wav"}, "truncated"),
    ({"in": "text.wav"}, "not a readable audio file"),
    ({"extra": ["--max-seconds", "1"]}, "--max-seconds"),
    ({"text": ""}, "no speech"),
    ({"text": "..."}, "no speech"),
    ({"text": "사랑 愛"}, "character 4"),
    ({"text": "이건 qwertz야"}, "English dictionary"),
    ({"text": "(웃음 그래"}, "not closed"),
    ({"text": "네."}, "too short for this recording"),
    ({"voice": "kim"}, "nearest are kih"),
    ({"out": "no/out.wav"}, "no such folder"),
    ({"out": "exists.wav"}, "--force"),
    ({"out": "out.xyz"}, "ending in .wav, .flac"),
    ({"extra": ["--plot", "a.xyz"]}, "ending in .png"),
    ({"extra": ["--model", "{}/pickle.pt"]}, "pickles are not loaded"),
    ({"extra": ["--model", "{}/broken"]}, "damaged"),
    ({"extra": ["--model", "{}/nothing"]}, "no model.json"),
    (
        {"extra": ["--vocoder", "hifigan"]},
        "no vocoder “hifigan”; use one of wide, clean, fast, or a folder",
    ),
]


@pytest.mark.parametrize(("change", "message"), CASES)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(
    bad, capsys, monkeypatch, change, message
):
    before = {path: path.read_bytes() for path in bad.rglob("*") if path.is_file()}
    recording = bad / change["in"] if "in" in change else DEMO
    arguments = [
        "moksori", "convert", str(recording), "--text", change.get("text", DEMO_TEXT),
        "--voice", change.get("voice", "lmy"), "-o", str(bad / change.get("out", "out.wav")),
        *(part.format(bad) for part in change.get("extra", [])),
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    errors = [
        line for line in capsys.readouterr().err.splitlines() if not line.startswith("licence")
    ]
    assert len(errors) == 1
    assert message in errors[0]
    assert {path: path.read_bytes() for path in bad.rglob("*") if path.is_file()} == before


def test_voices_shows_the_consent_of_enrolled_ones(moksori, tmp_path):
    card = load_card(MODEL)
    for name, until in (("hong", "2020-01-01"), ("kim", "2999-12-31")):
        consent = Consent(
            who="홍길동", purpose="1~12화 더빙", until=until, contact="hong@example.com"
        )
        voice = card.voices[0].model_copy(update={"name": name})
        pack = VoicePack(voice=voice, consent=consent, model=card.sha256)
        save_pack(
            tmp_path / f"{name}.safetensors",
            {"voices.weight": torch.zeros(1, card.model.voice_dim)},
            pack,
        )
    (tmp_path / "bad.safetensors").write_text("no")
    (tmp_path / "._hong.safetensors").write_text("a Mac's")
    shown = CliRunner().invoke(app, ["voices", "--packs", str(tmp_path)]).output
    assert "no voice pack, or damaged" in shown
    assert "._hong" not in shown
    for part in ("hong", "2020-01-01", "expired", "kim", "2999-12-31", "may be used", "홍길동"):
        assert part in shown
    told = CliRunner().invoke(app, ["revoke", "kim", "--packs", str(tmp_path)]).output
    assert "kim: revoked on" in told
    assert "refused" in CliRunner().invoke(app, ["voices", "--packs", str(tmp_path)]).output
    no_consent = moksori("revoke", "lmy", "--packs", tmp_path)
    assert "no consent to revoke" in no_consent.stderr


def test_actors_of_too_few_lines_are_named_when_prepared(moksori, tmp_path):
    """Six lines of six actors: whose line is held out has none left, which training told of no actor."""
    texts = ("가자.", "그래.", "밥은 먹었어?", "오늘은 날씨가 좋네!", "알았어.", "어디 가?")
    rows = []
    for number, text in enumerate(texts):
        soundfile.write(tmp_path / f"{number}.wav", voiced_wave(1.5, seed=number), 22050)
        rows.append(f"{number}.wav|{text}|성우{number}")
    (tmp_path / "list.txt").write_text("\n".join(rows), encoding="utf-8")
    data = tmp_path / "data"
    asked = ("prepare", "metadata", tmp_path / "list.txt", data, "--licence", "x", "--lang", "ko")
    done = moksori(*asked, "--jobs", 1)
    assert done.returncode == 0, done.stderr
    speakers = json.loads((data / "speakers.json").read_text())["speakers"]
    left = [name for name in speakers if "train" not in speakers[name]["lines"]]
    assert f"목소리를 배우지 않는 화자: {', '.join(left)}" in done.stdout
    assert "경고: 이대로는 학습할 수 없습니다" in done.stderr


def test_a_voice_s_sample_is_written(moksori, tmp_path):
    made = moksori("voices", "lmy", "kih", "-o", tmp_path)
    assert made.returncode == 0, made.stderr
    lmy, kih = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("lmy", "kih"))
    assert len(lmy) == len(kih)
    assert not np.allclose(lmy, kih)
    assert "lmy, female, " in made.stdout
    assert "exists" in moksori("voices", "lmy", "-o", tmp_path).stderr
    told = moksori("voices", "lmy", "-o", tmp_path, "--force", "--lang", "ko").stdout
    assert "lmy, 여, " in told and "분; “" in told
    assert "no such folder" in moksori("voices", "lmy", "-o", tmp_path / "no").stderr


def test_a_prepared_corpus_says_what_it_allows(moksori, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.wav").write_bytes(DEMO.read_bytes())
    (source / "list.txt").write_text(f"a.wav|{DEMO_TEXT}|김\n")
    consents = tmp_path / "consents.toml"
    record = 'who = "김"\npurpose = "1화"\nuntil = 2999-01-01\ncontact = "a@b.kr"\nuses = ["commercial"]\n'
    consents.write_text(f'[voices."이"]\n{record}')
    asked = ("prepare", "metadata", source / "list.txt", tmp_path / "dest", "--licence", "ours")
    assert "no consent from 김" in moksori(*asked, "--commercial", "--consents", consents).stderr
    assert "see the licence" in moksori(*asked).stdout
    consents.write_text(f'[voices."김"]\n{record}')
    made = moksori(*asked, "--commercial", "--consents", consents)
    assert "commercial use allowed" in made.stdout, made.stderr
    kept = json.loads((tmp_path / "dest" / "speakers.json").read_text())
    assert (kept["commercial"], kept["consents"]["김"]["uses"]) == ("yes", ["commercial"])


def test_nobody_is_asked_for_the_consent_of_whoever_is_left_out(moksori, tmp_path):
    """A recording that no row names is nobody's, and neither is a row without an actor."""
    takes, script, consents = (tmp_path / name for name in ("takes", "s.xlsx", "consents.toml"))
    takes.mkdir()
    for name in ("1.wav", "2.wav", "slate.wav"):
        (takes / name).write_bytes(DEMO.read_bytes())
    book = openpyxl.Workbook()
    for row in (("파일", "성우", "대사"), ("1", "김", DEMO_TEXT), ("2", None, DEMO_TEXT)):
        book.active.append(row)
    book.active.append(("3", "이", "녹음이 없는 사람의 대사"))
    book.save(script)
    consents.write_text(
        '[voices."김"]\nwho = "김"\npurpose = "1화"\nuntil = 2999-01-01\ncontact = "a@b.kr"\n'
    )
    asked = ("prepare", "script", script, takes, tmp_path / "dest", "--licence", "ours")
    made = moksori(*asked, "--consents", consents, "--jobs", 1)
    assert made.returncode == 0, made.stderr
    kept = json.loads((tmp_path / "dest" / "speakers.json").read_text())
    assert set(kept["consents"]) == set(kept["speakers"]) == {"김"}


def test_no_voice_is_enrolled_without_a_consent(tmp_path, capsys, monkeypatch):
    (tmp_path / "a.wav").write_bytes(DEMO.read_bytes())
    for consent, message in (("none.toml", "no such file"), ("bad.toml", "“purpose” is missing")):
        (tmp_path / "bad.toml").write_text('who = "홍길동"', encoding="utf-8")
        monkeypatch.setattr(
            sys, "argv",
            ["moksori", "enroll", "hong", str(tmp_path), "--packs", str(tmp_path / "packs"),
             "--consent", str(tmp_path / consent)],
        )  # fmt: skip
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "packs").exists()


def test_the_recording_itself_is_never_overwritten(tmp_path, capsys, monkeypatch):
    path = tmp_path / "line.wav"
    path.write_bytes(DEMO.read_bytes())
    arguments = [
        "convert",
        str(path),
        "--text",
        DEMO_TEXT,
        "--voice",
        "lmy",
        "-o",
        str(path),
        "--force",
    ]
    monkeypatch.setattr(sys, "argv", ["moksori", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert "is the recording itself" in capsys.readouterr().err
    assert path.read_bytes() == DEMO.read_bytes()


def test_align_writes_a_textgrid_its_picture_and_its_measures(moksori, tmp_path):
    out, plot = tmp_path / "out.TextGrid", tmp_path / "out.png"
    done = moksori("align", DEMO, "--text", DEMO_TEXT, "-o", out, "--plot", plot)
    assert done.returncode == 0, done.stderr
    for measure in ("confidence", "sharpness", "diagonality", "coverage", "skips", "repeats"):
        assert f"{measure} " in done.stdout
    words = textgrid.openTextgrid(str(out), includeEmptyIntervals=False).getTier("words")
    assert [word.label for word in words.entries] == re.findall("[가-힣]+", DEMO_TEXT)
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_folder_s_alignment_resumes_and_lists_problems(moksori, tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a", "b"):
        shutil.copy(DEMO, source / f"{name}.wav")
        (source / f"._{name}.wav").write_bytes(b"\0\5\x16\7")  # as a Mac leaves them
    (source / "a.txt").write_text(DEMO_TEXT, encoding="utf-8")
    first = moksori("align", source, "-o", out)
    assert first.returncode == 2
    assert "1 of 2 aligned, 2 worked on now" in first.stdout
    assert "b.txt: the recording's text is not there; put it beside" in first.stdout
    (source / "b.txt").write_text(DEMO_TEXT, encoding="utf-8")
    stamp = (out / "a.TextGrid").stat().st_mtime_ns
    second = moksori("align", source, "-o", out)
    assert second.returncode == 0, second.stderr
    assert "2 of 2 aligned, 1 worked on now" in second.stdout
    assert (out / "a.TextGrid").stat().st_mtime_ns == stamp
    rows = (out / "alignments.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [row.split(",")[0] for row in rows] == ["file", "a.wav", "b.wav"]


def test_a_folder_s_alignment_overwrites_only_its_own(moksori, tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    shutil.copy(DEMO, source / "a.wav")
    (source / "a.txt").write_text(DEMO_TEXT, encoding="utf-8")
    (out / "a.TextGrid").write_text("손으로 고친 것")
    done = moksori("align", source, "-o", out)
    assert done.returncode == 2
    assert "overwrite it with --force" in done.stdout
    moksori("align", source, "-o", out)  # nor the second time
    assert (out / "a.TextGrid").read_text() == "손으로 고친 것"
    (out / "a.TextGrid").unlink()
    moksori("align", source, "-o", out)
    (source / "a.txt").write_text(DEMO_TEXT + " ", encoding="utf-8")  # changed since
    again = moksori("align", source, "-o", out)
    assert "1 of 1 aligned, 1 worked on now" in again.stdout
    shutil.copy(DEMO, source / "a.flac")
    assert "keep one" in moksori("align", source, "-o", out).stderr


def test_a_folder_s_alignment_keeps_what_was_corrected_and_tells_what_it_removes(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a", "b"):
        shutil.copy(DEMO, source / f"{name}.wav")
        (source / f"{name}.txt").write_text(DEMO_TEXT, encoding="utf-8")

    def align(*more):
        return " ".join(
            CliRunner().invoke(app, ["align", str(source), "-o", str(out), *more]).output.split()
        )

    assert "2 of 2 aligned, 2 worked on now" in align()
    corrected = (out / "a.TextGrid").read_text(encoding="utf-8").replace("0.", "0.0", 1)
    (out / "a.TextGrid").write_text(corrected, encoding="utf-8")  # in Praat
    (source / "b.txt").write_text("Ωμέγα", encoding="utf-8")
    said = align("--spell")
    assert "b.TextGrid of before no longer holds and was removed" in said
    assert not (out / "b.TextGrid").exists()
    for again in (said, align("--spell")):
        assert "0 of 2 aligned, 2 worked on now" in again
        assert "overwrite it with --force" in again
        assert (out / "a.TextGrid").read_text(encoding="utf-8") == corrected
    assert "1 of 2 aligned, 2 worked on now" in align("--spell", "--force")


def test_a_folder_s_alignment_that_is_cut_while_lines_are_redone_resumes(tmp_path, monkeypatch):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    names = ("a", "b", "c")
    for name in names:
        shutil.copy(DEMO, source / f"{name}.wav")
        (source / f"{name}.txt").write_text(DEMO_TEXT, encoding="utf-8")

    def align(*more):
        return CliRunner().invoke(app, ["align", str(source), "-o", str(out), *more])

    done = align()
    assert "3 of 3 aligned, 3 worked on now" in done.output
    for name in names:  # changed since
        (source / f"{name}.txt").write_text(DEMO_TEXT + " ", encoding="utf-8")
    real, begun = Converter.align, []

    def cut(self, *given, **named):
        begun.append(given)
        if len(begun) == 2:
            raise SystemExit(137)  # as if it was killed
        return real(self, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Converter, "align", cut)
        align()
    done = align()
    assert "3 of 3 aligned, 2 worked on now" in done.output, done.output
    rows = (out / "alignments.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [row.split(",")[0] for row in rows] == ["file", "a.wav", "b.wav", "c.wav"]
    assert "3 of 3 aligned, 0 worked on now" in align().output
    assert "3 of 3 aligned, 3 worked on now" in align("--spell").output  # read otherwise
    wrong = align("--lexicon", str(tmp_path / "no.tsv"))
    assert isinstance(wrong.exception, LexiconError)


def test_voices_lists_name_sex_minutes_and_licence():
    shown = CliRunner().invoke(app, ["voices"])
    assert shown.exit_code == 0
    for word in ("lmy", "kih", "female", "male", "research only"):
        assert word in shown.stdout
    assert "pfb" not in shown.stdout  # a speaker of the test split is no voice


def test_recordings_without_a_licence_are_refused(moksori, tmp_path):
    (tmp_path / "list.csv").write_text("file,set,split\n")
    asked = ["prepare", "recordings", str(tmp_path / "list.csv"), str(tmp_path / "data")]
    for licence in ("mine=", "mine= "):
        assert "--licence is empty" in moksori(*asked, "--licence", licence).stderr


def test_prepare_reports_hours_lines_and_rejections(moksori, tmp_path):
    source = write_corpus(tmp_path / "corpus")
    (source / "Set" / "pmx" / "transcript" / "pmx00000.txt").unlink()
    first = moksori("prepare", "emotiontts", source, tmp_path / "dest")
    assert first.returncode == 0, first.stderr
    assert "12 lines worked on now" in first.stdout
    assert "pmx/pmx00000: no text" in first.stdout
    again = moksori("prepare", "emotiontts", source, tmp_path / "dest")
    assert "0 lines worked on now" in again.stdout
    assert "pmx/pmx00000: no text" in again.stdout


def test_every_command_speaks_the_user_s_language(moksori, tmp_path, monkeypatch):
    """By --lang, by MOKSORI_LANG, or by the system's; a script's errors, success and warnings alike."""
    script = tmp_path / "a.srt"
    script.write_text("1\n00:00:01,000 --> 00:00:02,000\n안녕?\n", encoding="utf-8")
    cast = tmp_path / "cast.toml"
    assert "썼습니다" in moksori("cast", script, "-o", cast, "--lang", "ko").stdout
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    monkeypatch.delenv("LC_ALL")
    assert "배역이 모두 있습니다" in moksori("cast", script, "-o", cast).stdout
    monkeypatch.setenv("MOKSORI_LANG", "en")
    assert "has all characters" in moksori("cast", script, "-o", cast).stdout
    cast.write_text("[default]\nvoise = 'lmy'", encoding="utf-8")
    assert "unknown key “default.voise”" in moksori("cast", script, "-o", cast).stderr
    told = moksori("cast", script, "-o", cast, "--lang", "ko")
    assert "오류: " in told.stderr and "“default.voise”: 없는 항목입니다" in told.stderr
    missing = ("align", tmp_path / "a.wav", "-o", tmp_path / "a.TextGrid", "--lang", "ko")
    assert "--text로 적으세요" in moksori(*missing).stderr
    consent = ("enroll", "hong", tmp_path, "--consent", tmp_path / "none.toml", "--lang", "ko")
    assert "who, purpose, until, contact를 적으세요" in moksori(*consent).stderr


def test_importing_leaves_what_is_slow_to_import_alone():
    slow = "{'torch', 'numpy', 'matplotlib', 'pydantic', 'rich.progress', 'lightning', 'lhotse'}"
    code = f"import sys, moksori, moksori.cli; sys.exit(len({slow} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_convert_says_in_korean_what_it_cannot_read_and_what_it_writes(moksori, tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\3\4" + bytes(200))
    wave, rate = soundfile.read(DEMO)
    soundfile.write(tmp_path / "eight.wav", wave, rate, subtype="PCM_U8")
    given = ("--text", DEMO_TEXT, "--voice", "lmy", "-o", tmp_path / "out.wav", "--lang", "ko")
    refused = moksori("convert", tmp_path / "a.xlsx", *given)
    assert "읽을 수 없는 오디오 파일입니다 (알 수 없는 형식)" in " ".join(refused.stderr.split())
    done = moksori("convert", tmp_path / "eight.wav", *given)
    assert "녹음은 PCM_U8 형식이라 결과는 16비트 .wav 파일로 씀" in " ".join(done.stdout.split())


def test_text_shows_readings_and_tells_faults_by_row(moksori, tmp_path):
    script = tmp_path / "lines.txt"
    script.write_text("(웃음) 3시에 보자\n\n이건 qwertz야\nABC 좋아\n", encoding="utf-8-sig")
    for both in ((), ("그래", "--file", script)):
        assert "give a line, or --file with a script" in moksori("text", *both).stderr
    done = moksori("text", "--file", script)
    assert done.returncode == 2
    assert "read   세시에 보자" in done.stdout
    assert "laugh “(웃음)” at character 1" in done.stdout
    assert (
        "line 3: 이건 qwertz야\n  error: “qwertz” is not in the English dictionary" in done.stdout
    )
    assert "1 of 3 lines cannot be read" in done.stderr
    checked = moksori("text", "--file", script, "--check", "--spell")
    assert checked.returncode == 0
    assert [row for row in checked.stdout.splitlines() if row.startswith("line")] == [
        "line 3: 이건 qwertz야",
        "line 4: ABC 좋아",
    ]
    as_json = moksori("text", "3시", "--json")
    assert json.loads(as_json.stdout)["pronounced"] == "세시"
