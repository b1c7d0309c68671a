import ast
import pickle
import re
import string
import unicodedata
from pathlib import Path

import pytest
from pydantic import ValidationError

from moksori.dubbing.plan.cast import read_cast
from moksori.dubbing.request import JobFile
from moksori.errors import AudioError, ConfigError, TextError
from moksori.files import explain, load_toml
from moksori.messages import Message, codes, message, say
from moksori.script.line import Place
from moksori.studio.answers import Asked

SOURCE = Path(__file__).parents[1] / "src" / "moksori"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_are_there_with_the_same_values():
    for code, texts in codes().items():
        assert set(texts) == {"ko", "en"}, code
        assert fields(texts["ko"]) == fields(texts["en"]), code


_OF_COMMANDS = {  # which no page says
    "align.no_text", "align.one_only", "channels.form", "cli.encoding", "cli.faults", "cli.text.either",
    "convert.device", "convert.effort",
    "corpus.no_column", "corpus.no_speaker", "dub.no_deliverable", "dub.unnamed", "enrol.already",
    "corpus.no_set", "corpus.other_rate",
    "enrol.done", "enrol.packs", "evaluate.other_model", "evaluate.voice", "output.exists", "output.no_job",
    "prepare.licence_form", "prepare.no_licence", "prepare.speeds",
    "recogniser.was_bundled", "review.faulty", "review.no_line",
    "script.columns_form", "studio.password_needed", "studio.port", "terms.consent",
    "terms.licence", "train.cotatron_key", "train.done_model", "train.done_vocoder",
    "train.no_cotatron", "train.other_base", "train.two_starts", "tune.from_cotatron", "tune.steps",
    "train.damaged", "train.stopped", "usage.help", "voices.left",
}  # fmt: skip


def test_the_page_speaks_of_its_own_fields():
    said = codes()
    for code, texts in said.items():
        asked = re.search("(?<!install )--[a-z]|{options}|same command", texts["en"])
        if asked and code not in _OF_COMMANDS:
            assert f"page.{code}" in said, code
        for lang, text in said.get(f"page.{code}", {}).items():
            assert not re.search("--|{options}|same command|같은 명령", text), code
            assert fields(text) <= fields(texts[lang]) | {"rates"}, code


def test_korean_messages_are_korean():
    for code, texts in codes().items():
        if re.search(r"[a-z]{3}", re.sub(r"\{[^}]*}", "", texts["en"])):
            assert re.search("[가-힣]", texts["ko"]), code


# Values that end in a vowel, always: .docx, .hwpx, ass, ssa.
ONE_PARTICLE = {"script.other_kind", "script.old_document", "script.ass_unreadable"}


def test_no_particle_is_written_for_one_kind_of_value():
    """을, 를 and the like depend on the value before them; 을(를) lets `say` choose."""
    for code, texts in codes().items():
        bare = re.search(r"\}[”’'\]`]*(을|를|은|는|이|가|과|와|으로|로)(?=[ ,.]|$)", texts["ko"])
        assert not bare or code in ONE_PARTICLE, (code, bare)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("하나", "“하나”가 두 번"),
        ("세찬", "“세찬”이 두 번"),
        (unicodedata.normalize("NFD", "세찬"), "”이 두 번"),
        ("하나(회상)", "“하나(회상)”가 두 번"),
        ("0012", "“0012”가 두 번"),
        ("30", "“30”이 두 번"),
        ("을(를)", "“을(를)”이 두 번"),
        ("a.wav", "“a.wav”이(가) 두 번"),  # as anybody may say it
        ("MP3", "“MP3”이(가) 두 번"),
        ("(", "“(”이(가) 두 번"),
    ],
)
def test_a_particle_follows_the_last_sound_of_its_value(name, said):
    assert said in say("lexicon.twice", "ko", place="p", word=name)


def test_a_direction_has_its_own_rule():
    for rate, said in (("30", "30으로"), ("29.97", "29.97로"), ("24", "24로")):
        assert f"프레임 레이트 {said} 읽습니다" in say("script.fps_said", "ko", file="a", rate=rate)


def test_particles_of_a_hostile_value_are_found_at_once():
    assert say("lexicon.twice", "ko", place="p", word="()" * 10**5 + "(" * 10**5).endswith(
        "한 줄만 두세요"
    )


def test_korean_messages_ask_in_one_tone():
    """하세요, which the page has beside them, and never 하십시오 in between."""
    page = (SOURCE / "studio" / "page" / "words.js").read_text(encoding="utf-8")
    asked = [texts["ko"] for texts in codes().values()]
    assert not [text for text in [*asked, *page.splitlines()] if "십시오" in text]


def test_every_code_of_the_source_is_in_the_catalogue_and_used():
    source = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    source += "".join(path.read_text() for path in SOURCE.rglob("*.j2"))
    for code in re.findall(r'(?:(?<!\.)\bsay|\bmessage|\.of)\(\s*"([a-z_.]+)"', source):
        assert code in codes() or code.endswith("."), code
    built = (
        "align.measure.",
        "issues.",
        "sort.",
        "level.",
        "issue.",
        "severity.",
        "reason.",
        "value.",
        "text.fix.",
        "place.",
        "time.",
        "doubt.",
        "mark.",
        "change.",
        "cli.text.",
        "column.",
        "slip.",
        "use.tip.",
        "part.",
        "page.",
        "prepare.",
        "evaluate.head.",
        "evaluate.group.",
        "evaluate.of.",
        "evaluate.figure.",
        "listen.head.",
        "tune.state.",
        "tune.head.",
        "ledger.",
        "season.state.",
        "season.column.",
        "voices.column.",
        "stage.",
        "status.",
        "system.",
        "sex.",
    )
    for code in codes():
        used = f'"{code}"' in source or f"'{code}'" in source or code.startswith(built)
        assert used, code


# Errors in plain English that no user reads, by file, and why.
PLAIN = {
    "__init__.py": "for programmers: a name that the package does not have",
    "alignment/alignment.py": "for programmers: alignments that are not of one line",
    "models/cotatron.py": "for programmers: a Cotatron without the part that is to be trained",
    "models/text_aligner.py": "for programmers: a Cotatron without the part that is asked for",
    "text/visemes.py": "for programmers: no phone",
    "text/visemes_by_weight.py": "for programmers: no phone",
    "signal/bwf.py": "caught: a file that is no WAV",
    "signal/riff.py": "caught: a file that is no WAV, or was cut off",
    "script/docx.py": "caught: a damaged document",
    "script/hwpx.py": "caught: a damaged document",
    "script/ods.py": "caught: a damaged document",
    "script/xlsx.py": "caught: a damaged document",
    "script/timelines.py": "caught: a damaged timeline",
    "dubbing/work/worker.py": "of a broken installation: why speakers cannot be compared",
}


def uncoded(source: str) -> list[int]:
    """Rows in which an error or a warning is given words instead of a code."""
    found = []
    for call in ast.walk(ast.parse(source)):
        name = called(call)
        if name.endswith(("Error", "Exception")) or name in ("warn", "rank_zero_warn"):
            texts = "".join(text for given in call.args for text in own_texts(given))
            found += [call.lineno] * any(map(str.isalpha, texts))
    return found


def called(node: ast.AST) -> str:
    """The name of what is called; nothing if it is no call."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def own_texts(node: ast.AST) -> list[str]:
    """The texts that an expression holds itself; what a call within it says, and keys, are not."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Call | ast.Subscript | ast.GeneratorExp):
        return []
    return [text for child in ast.iter_child_nodes(node) for text in own_texts(child)]


@pytest.mark.parametrize(
    "source",
    [
        'raise ConfigError("no such key")', 'raise ValueError(f"{name}: no such key")',
        'raise errors.CorpusError("no " + name)', 'warnings.warn("slow", stacklevel=2)',
        'rank_zero_warn(f"{run}: slow")', 'raise TextError("why" if bad else other, line)',
    ],
)  # fmt: skip
def test_words_instead_of_a_code_are_found(source):
    assert uncoded(source) == [1]


def test_commands_print_nothing_that_is_english_alone():
    found = {}
    for path in sorted((SOURCE / "cli").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = called(call)
            if name in ("print", "warn", "Table", "progress", "status", "track"):
                texts = " ".join(text for given in call.args for text in own_texts(given))
                found[path.name, call.lineno] = re.findall("[a-z]{3,}", texts)
    assert len(found) > 50
    assert [words for words in found.values() if words] == [["moksori"]]  # before its version


def test_whatever_a_user_may_read_has_a_code():
    """Training too: who trains a model of their own may read Korean alone."""
    places = {path.relative_to(SOURCE).as_posix(): path for path in SOURCE.rglob("*.py")}
    assert len(places) > 200
    found = {place: uncoded(path.read_text(encoding="utf-8")) for place, path in places.items()}
    plain = {place: rows for place, rows in found.items() if rows}
    assert plain.keys() == PLAIN.keys(), plain


@pytest.mark.parametrize(
    ("text", "korean"),
    [
        ('[characters."하나"]\nvoise = "lmy"', "“characters.하나.voise”: 없는 항목입니다"),
        ("[default]\nvoice = 3", "“default.voice”: 따옴표로 묶은 글이어야 합니다 (받은 값: 3)"),
        ("[default]\npitch = 99", "“default.pitch”: 12 이하여야 합니다"),
        ("[default]\npitch = nan", "받은 값: nan"),
        ("[default]\npitch = '가'", "“default.pitch”: 숫자여야 합니다"),
        ("[default]\npass = 3", "“default.pass”: true 또는 false여야 합니다"),
        ("[default]\nnonverbal = 'yes'", "'convert', 'match', 'leave' 가운데 하나여야"),
        ("default = 3", "“default”: 표(예: [default])여야"),
        ("[characters]\n'두 나' = 3", '표(예: [characters."두 나"])여야'),
        ('[characters."두나"]\n[characters."두 나"]', "이름이 같은 배역이 둘입니다: “두나”, “두 나”"),
        ("[default", "TOML 문법에 맞지 않습니다"),
    ],
)  # fmt: skip
def test_a_fault_of_a_cast_is_said_in_korean(tmp_path, text, korean):
    path = tmp_path / "cast.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_cast(path)
    assert f"{path}: " in error.value.say("ko")
    assert korean in error.value.say("ko")


def test_faults_that_are_said_together_are_told_apart(tmp_path):
    path = tmp_path / "cast.toml"
    path.write_text('[default]\nvoise = "lmy"\npitch = 99', encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_cast(path)
    for lang in ("ko", "en"):
        assert [part.count("“default.") for part in error.value.say(lang).split(" · ")] == [1, 1]


def test_a_text_of_the_wrong_length_or_form_is_not_told_to_be_text(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text('original_language = "Korean, I think"', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"must be of the form \^\(\[A-Za-z]") as error:
        load_toml(path, JobFile)
    assert "형식이어야 합니다 (받은 값: 'Korean, I think')" in error.value.say("ko")
    with pytest.raises(ConfigError) as of_an_option:
        JobFile().merged({"original_language": "Korean, I think"})
    assert error.value.say("ko") == f"{path}: {of_an_option.value.say('ko')}"
    with pytest.raises(ValidationError) as long:
        Asked(word="가" * 101)
    assert explain(long.value).say("ko").startswith("“word”: 100자까지만 쓸 수 있습니다")
    assert "must have 100 characters at most" in explain(long.value).say("en")


def test_a_message_within_a_message_is_said_in_the_same_language():
    why = message("audio.below", limit=-60.0)
    error = AudioError.of("audio.silent", name=message("audio.recording"), why=why)
    assert str(error) == "the recording: the recording is silent (peak below -60 dBFS)"
    assert error.say("ko") == "녹음: 소리가 없는 녹음입니다 (최고 음량이 -60 dBFS보다 작습니다)"
    other = message("issue.overlap", other=Place("row", 3, "1화").message, by="0.20", more="")
    assert "1화 3행" in other.say("ko")
    assert "1화 row 3" in other.say("en")


def test_a_message_can_be_kept_and_sent():
    error = TextError(message("text.not_closed", char="("), "(웃음", 0)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.offset) == (str(error), "(웃음", 0)
    assert again.say("ko") == error.say("ko")
    kept = Message.load(error.message.dump())
    assert kept == error.message
    assert Message.load("an older job's words").say("ko") == "an older job's words"
    assert str(AudioError("plain words")) == AudioError("plain words").say("ko") == "plain words"


def test_a_voice_without_a_consent_of_its_own_is_not_said_to_be_without_consent():
    said = say("verify.licence", "ko", voice="lmy")
    assert said == "목소리 lmy: 따로 받은 동의서가 없으며, 모델의 라이선스를 따릅니다"


def test_an_unknown_code_or_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        say("no.such.code", "ko")
    with pytest.raises(KeyError):
        say("audio.missing", "ko")
