"""A voice enrolled on the page: the whole way in a real browser, what is refused, and what never stays."""

import asyncio
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import soundfile
from starlette.testclient import TestClient

from moksori.config import OptimizerConfig
from moksori.conversion.consents import Consent, revocations
from moksori.conversion.converter import Converter
from moksori.conversion.voices import VoicePack, load_pack, save_pack
from moksori.dubbing.progress import Watch
from moksori.dubbing.task import Setup
from moksori.errors import MoksoriError, OutputError
from moksori.studio import enrolling, learning, uploads
from moksori.studio.app import create_app
from moksori.studio.guard import Access
from moksori.studio.session import Session
from moksori.studio.works import Works
from moksori.weights import MODEL
from tests.conftest import voiced_wave
from tests.studio.conftest import go, until
from tests.studio.voice import make_recordings

SHORT = OptimizerConfig(
    steps=2, epoch_steps=2, learning_rate=5e-3, warmup_steps=1, weight_decay=0.0,
    average_decay=0.5, prior_steps=0,
)  # fmt: skip
LATER = str(date.today() + timedelta(days=300))
CONSENT = {"who": "홍길동", "purpose": "1~12화 더빙", "until": LATER, "contact": "hong@example.com"}


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch) -> Path:
    """The user's data and the temporary files, apart from everybody else's; the latter is given back."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))  # of the process that learns, too
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """Recordings of one person that are enough, and their texts."""
    folder = tmp_path_factory.mktemp("speech")
    return folder, make_recordings(folder)


def packs(tmp_path) -> Path:
    return tmp_path / "data" / "moksori" / "voices"


def enrolled(folder: Path, name: str = "hong", **consent) -> Consent:
    """A voice that is enrolled already: kih's."""
    converter = Converter.from_pretrained()
    row = [voice.name for voice in converter.card.voices].index("kih")
    agreed = Consent.model_validate(CONSENT | consent)
    voice = converter.voice("kih").model_copy(update={"name": name})
    pack = VoicePack(voice=voice, consent=agreed, model=converter.card.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {"voices.weight": converter.model.voices.weight[row : row + 1]}
    save_pack(folder / f"{name}.safetensors", weights, pack)
    return agreed


def left_there(places: Path) -> list[Path]:
    """Recordings of enrolments that lie around."""
    return [*places.glob("moksori-enrol-*")]


# The page


@pytest.mark.slow
def test_a_voice_is_enrolled_heard_cast_and_taken_back(studio, new_page, speech, tmp_path, places):
    texts = speech[1]
    shutil.copytree(speech[0], tmp_path / "hong")
    (tmp_path / "hong" / "1.txt").write_bytes(texts["1.wav"].encode("cp949"))
    soundfile.write(tmp_path / "hong" / "없음.wav", voiced_wave(2.0), 22050)
    studio.session.save(fps="25")
    studio.session.enrolling.schedule = SHORT
    page = new_page(studio)
    go(page, "cast")
    page.focus("#enrol > summary")
    page.keyboard.press("Enter")
    # A name of the model's is refused at once.
    page.fill("#enrol [name=name]", "lmy")
    until(lambda: page.evaluate("!document.querySelector('#enrol [name=name]').validity.valid"))
    page.fill("#enrol [name=name]", "hong")
    until(lambda: page.evaluate("document.querySelector('#enrol [name=name]').validity.valid"))
    # Recordings: a text beside one of them, typed for one, pasted for the others.
    page.set_input_files("#enrol-files", sorted((tmp_path / "hong").iterdir()))
    page.wait_for_selector(f".takes li >> nth={len(texts)}")
    fields = page.locator(".takes input")
    assert fields.nth(0).input_value() == texts["1.wav"]
    fields.nth(1).fill(texts["2.wav"])
    fields.nth(2).focus()
    rest = "\n".join([*texts.values()][2:])
    page.evaluate(
        "text => { const given = new DataTransfer(); given.setData('text', text);"
        "document.activeElement.dispatchEvent(new ClipboardEvent('paste',"
        "{ clipboardData: given, bubbles: true, cancelable: true })); }",
        rest,
    )
    assert [fields.nth(i).input_value() for i in range(len(texts))] == [*texts.values()]
    assert "1" in page.inner_text("#enrol .drop .what small")  # one has no text
    # The consent.
    for name, value in CONSENT.items():
        page.fill(f"#enrol [name={name}]", value)
    page.check("#enrol [name=uses][value=preview]")
    page.click("#enrol-go")
    page.wait_for_selector(".work[data-kind=enrol] >> text=hong")
    # The page goes on meanwhile, also in another tab; what was entered is still there.
    go(page, "lines")
    page.wait_for_selector(".row >> nth=3")
    page.click(".row[data-key='0003_하나']")
    page.keyboard.press("h")
    page.wait_for_selector(".row[data-key='0003_하나'] b.hold")
    go(page, "cast")
    assert page.is_disabled("#enrol-go")
    # The next voice can be entered meanwhile, and stays when this one has been learnt.
    page.fill("#enrol [name=name]", "kim")
    (other := tmp_path / "다음.wav").write_bytes(next(speech[0].glob("*.wav")).read_bytes())
    page.set_input_files("#enrol-files", [other])
    page.wait_for_selector("#enrol .takes >> text=다음.wav")
    page.wait_for_selector(".enrolled .good >> text=hong", timeout=600_000)
    assert page.input_value("#enrol [name=name]") == "kim"
    page.wait_for_selector("#enrol .takes li >> nth=1", state="detached")
    assert "다음.wav" in page.inner_text("#enrol .takes")
    assert "없음.txt" in page.inner_text(".enrolled .issues")
    assert str(tmp_path) not in page.inner_text("main")
    assert not left_there(places)
    pack = load_pack(packs(tmp_path) / "hong.safetensors")[1]
    assert (pack.consent.who, pack.consent.uses) == ("홍길동", ("preview",))
    # In the lists at once. Its consent asks for a purpose; then it is heard and cast.
    choice = "select[aria-label='목소리 하나']"
    page.wait_for_selector(f"{choice} option[value=hong]", state="attached")
    page.wait_for_selector(".consents >> text=1")
    studio.session.save(purpose="preview")
    page.click(".consents > summary")
    with page.expect_response("**/api/sample/hong") as heard:
        page.click(".consents li[data-voice=hong] .listen:not([disabled])")
    assert heard.value.ok
    page.select_option(choice, "hong")
    until(lambda: "hong" in (studio.session.desk.file.cast).read_text(encoding="utf-8"))
    page.click(".role[data-key='하나'] .hear")
    page.wait_for_selector(".audition .card[data-voice=hong] input:checked")
    # Nothing silently replaced.
    page.fill("#enrol [name=name]", "hong")
    page.wait_for_selector("#enrol [name=replace]:required")
    # Taken back.
    page.click(".consents .revoke")
    page.keyboard.type("편지")
    page.keyboard.press("Enter")
    page.wait_for_selector(".consents li[data-voice=hong] small.bad")
    (row,) = revocations(packs(tmp_path)).values()
    assert (row.voice, row.why) == ("hong", "편지")
    go(page, "check")
    page.wait_for_selector(".group.error[data-kind='0 voice'] a[href='#cast']")
    assert "다른 목소리를 쓰거나" in page.inner_text(".group[data-kind='0 voice']")
    assert not page.query_selector(".group[data-kind='0 voice'] form")


@pytest.mark.slow
def test_the_form_fits_a_phone_speaks_english_and_says_what_is_lacking(
    studio, new_page, tmp_path, monkeypatch
):
    monkeypatch.setattr("moksori.extras.find_spec", lambda name: None)
    enrolled(packs(tmp_path))
    soundfile.write(tmp_path / "a.wav", voiced_wave(1.0), 22050)
    studio.session.save(fps="25")
    page = new_page(studio, 375, 720)
    page.click("#lang")
    page.wait_for_selector("#tabs >> text=Cast")
    go(page, "cast")
    page.click("#enrol > summary")
    page.wait_for_selector("#enrol .bad >> text=-e '.[train]'")
    assert page.is_disabled("#enrol-go")
    page.set_input_files("#enrol-files", tmp_path / "a.wav")
    page.click("#enrol details summary")
    page.click(".consents > summary")
    page.click(".consents .revoke")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    words = page.inner_text("#enrol") + page.inner_text(".consents .room")
    assert not any("가" <= char <= "힣" for char in words)
    page.keyboard.press("Tab")  # from the note to its button
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"


# Plain requests


@pytest.fixture
def session(tmp_path):
    session = Session(tmp_path / "root", workers=1)
    session.enrolling.schedule = SHORT
    yield session
    session.close()


@pytest.fixture
def known(session):
    access = Access(port=7575)
    found = TestClient(create_app(session, access), base_url="http://127.0.0.1:7575")
    found.get("/", params={"token": access.token})
    return found


def begin(known, name="hong", replace=False, **consent):
    asked = {k: v for k, v in (CONSENT | consent).items() if v is not None}
    return known.post("/api/enrol_begin", json={"name": name, "consent": asked, "replace": replace})


def sound(tmp_path, seconds=1.0) -> bytes:
    path = tmp_path / "sound.wav"
    soundfile.write(path, voiced_wave(seconds), 22050)
    return path.read_bytes()


def bring(known, id, name, content, what="recording"):
    return known.put(f"/api/enrolment/{id}/{what}", params={"name": name}, content=content)


def test_a_stranger_enrols_nobody(session):
    stranger = TestClient(create_app(session, Access(port=7575)), base_url="http://127.0.0.1:7575")
    for name in ("enrol_begin", "enrol", "enrol_drop", "revoke"):
        assert stranger.post(f"/api/{name}", json={}).status_code == 401
    assert bring(stranger, "x", "a.wav", b"x").status_code == 401
    assert stranger.get("/api/enrolment").status_code == 401


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"name": "lmy"}, "다른 이름을 적으세요"),
        ({"name": "../hong"}, "목소리 이름이 될 수 없습니다"),
        ({"name": ""}, "목소리 이름이 될 수 없습니다"),
        ({"name": "kim"}, "이미 등록한 목소리입니다"),
        ({"who": None}, "“consent.who”"),
        ({"contact": ""}, "“consent.contact”"),
        ({"until": "tomorrow"}, "“consent.until”"),
        ({"until": "2020-01-01"}, "동의가 2020-01-01에 끝났습니다"),
        ({"uses": ["all"]}, "“consent.uses"),
        ({"path": "/etc/passwd"}, "“consent.path”"),
        ({"purpose": "철회한 것"}, "철회"),
        ({"purpose": "철회한 것!"}, "“동의한 날”에 적어야 합니다"),
        ({"purpose": "철회한 것!", "given": "tomorrow"}, "“consent.given”"),
    ],
)
def test_what_is_refused_before_anything_is_brought(known, tmp_path, places, asked, wrong):
    from moksori.conversion.consents import revoke

    enrolled(packs(tmp_path), "kim")
    taken_back = Consent.model_validate(CONSENT | {"purpose": "철회한 것"})
    revoke(packs(tmp_path), "hong", taken_back)
    answer = begin(known, **asked)
    assert answer.status_code == 400 and wrong in answer.json()["error"]
    assert "--" not in answer.json()["error"]
    assert not left_there(places)


def test_without_a_consent_or_the_libraries_nothing_begins(known, places, monkeypatch):
    answer = known.post("/api/enrol_begin", json={"name": "hong"})
    assert answer.status_code == 400 and "동의 없이는" in answer.json()["error"]
    assert known.get("/api/enrolment").json() == {"missing": ""}
    monkeypatch.setattr("moksori.extras.find_spec", lambda name: None)
    assert "-e '.[train]'" in begin(known).json()["error"]
    assert "-e '.[train]'" in known.get("/api/enrolment").json()["missing"]
    assert not left_there(places)


def test_recordings_are_limited_checked_and_removed(known, tmp_path, places, monkeypatch):
    wave, id = sound(tmp_path), begin(known).json()
    (folder,) = left_there(places)
    assert bring(known, id, "../../../a.wav", wave).status_code == 200
    assert bring(known, id, "C:\\takes\\b.wav", wave).status_code == 200
    for name, content in (("a.exe", wave), (".wav", wave), ("a\n.wav", wave), ("c.wav", b"no"),
                          ("", wave), ("x" * 300 + ".wav", wave), ("a.txt", b"text")):  # fmt: skip
        assert bring(known, id, name, content).status_code == 400, name
    assert {path.name for path in folder.rglob("*.*")} == {"a.wav", "b.wav"}
    assert str(tmp_path) not in bring(known, id, "c.wav", b"no").json()["error"]
    for wrong in ("0" * 16, "..", "%2e%2e"):
        assert bring(known, wrong, "a.wav", wave).status_code in (400, 404)
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "TAKE_BYTES", len(wave) - 1)
        assert bring(known, id, "large.wav", wave).status_code == 400
    with monkeypatch.context() as patch:
        patch.setattr(enrolling, "_VOICE_BYTES", 2 * len(wave) + 10)
        assert bring(known, id, "much.wav", wave).status_code == 400
    with monkeypatch.context() as patch:
        patch.setattr(enrolling, "_MOST", 2)
        assert "2" in bring(known, id, "many.wav", wave).json()["error"]
    assert {path.name for path in folder.rglob("*.*")} == {"a.wav", "b.wav"}
    # Another one takes its place; who gives up, and who never comes back, leaves nothing.
    other = begin(known).json()
    assert not folder.exists() and bring(known, id, "a.wav", wave).status_code == 400
    assert known.post("/api/enrol_drop", json={"id": other}).status_code == 200
    assert not left_there(places)
    begin(known)
    monkeypatch.setattr(enrolling, "_IDLE", 0.0)
    until(lambda: not left_there(places))


@pytest.fixture
def draft():
    """A voice whose recordings are brought straight, with what takes them in."""
    works = Works(lambda: None)
    taking = enrolling.Enrolling(works)
    id = taking.begin("hong", Consent.model_validate(CONSENT), False, Setup())
    yield taking, taking._drafts[id]
    taking.close()
    works.close()


def in_parts(name, *parts, before=lambda: None):
    """A request that brings a recording in parts, others meanwhile."""

    async def stream():
        for part in parts:
            await asyncio.sleep(0)
            before()
            yield part

    return SimpleNamespace(query_params={"name": name}, stream=stream)


def awaited(coroutine):
    """What a coroutine gives; in a thread of its own, as the browser's tests leave a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def test_recordings_that_come_at_once_are_limited_together(draft, tmp_path, monkeypatch):
    (taking, voice), wave = draft, sound(tmp_path)
    monkeypatch.setattr(enrolling, "_VOICE_BYTES", len(wave) * 3 // 2)
    parts = wave[: len(wave) // 2], wave[len(wave) // 2 :]

    async def bring_both():
        both = (
            taking.bring(voice.id, in_parts(name, *parts), False) for name in ("a.wav", "b.wav")
        )
        return await asyncio.gather(*both, return_exceptions=True)

    faults = [fault for fault in awaited(bring_both()) if fault is not None]
    assert [type(fault) for fault in faults] == [OutputError]
    assert (voice.files, voice.size) == (1, len(wave))  # what was refused is not counted


def test_a_recording_that_comes_slowly_is_not_abandoned(draft, tmp_path, monkeypatch):
    (taking, voice), clock = draft, [0.0]
    monkeypatch.setattr(enrolling, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    voice.touched = 0.0

    def later():
        clock[0] += enrolling._IDLE * 0.7
        taking.look()

    parts = [(wave := sound(tmp_path))[:100], wave[100:200], wave[200:]]
    awaited(taking.bring(voice.id, in_parts("a.wav", *parts, before=later), False))
    assert (voice.recordings / "a.wav").read_bytes() == wave


def test_what_cannot_be_started(known, tmp_path, places):
    id = begin(known).json()
    none = known.post("/api/enrol", json={"id": id, "texts": {}})
    assert none.status_code == 400 and "녹음이 없습니다" in none.json()["error"]
    bring(known, id, "a.wav", sound(tmp_path))
    bring(known, id, "동의.wav", sound(tmp_path), "spoken")
    answer = known.post("/api/enrol", json={"id": id, "texts": {}})
    assert answer.status_code == 400 and "문장" in answer.json()["error"]
    long = known.post("/api/enrol", json={"id": id, "texts": {"a.wav": "가" * 2001}})
    assert long.status_code == 400
    assert known.post("/api/enrol", json={"id": "0" * 16}).status_code == 400


def test_a_text_is_of_a_recording_and_of_no_other_file(known, session, tmp_path, monkeypatch):
    seen = {}

    def learn(asked, watch):
        seen.update({p.name: p.read_bytes() for p in asked.folder.rglob("*.txt")})
        return {}

    monkeypatch.setattr(enrolling, "learn_apart", learn)
    id = begin(known).json()
    bring(known, id, "가.wav", sound(tmp_path))  # composed, as all names are
    texts = {"가.wav": " 안녕. ", "../evil.wav": "x", "b.wav": "y", "/etc/passwd": "z"}
    known.post("/api/enrol", json={"id": id, "texts": texts})
    until(lambda: session.works.all()[-1].state == "done")
    assert seen == {"가.txt": "안녕.".encode()}
    assert not [*tmp_path.rglob("evil*")]


def bring_two(known, speech) -> tuple[str, dict[str, str]]:
    """Too little of a voice."""
    folder, id = speech[0], begin(known).json()
    texts = dict([*speech[1].items()][:2])
    for name in texts:
        assert bring(known, id, name, (folder / name).read_bytes()).status_code == 200
    return id, texts


def at_work(group: int) -> list[str]:
    """The processes of a group that have not ended."""
    asked = ["ps", "-eo", "pgid=,stat="]
    rows = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    return [row for row in rows if row.split()[0] == str(group) and "Z" not in row]


def work_of(known) -> dict:
    return known.get("/api/state").json()["works"][-1]


@pytest.mark.slow
def test_too_little_speech_fails_in_the_page_s_language_and_leaves_nothing(
    known, speech, tmp_path, places
):
    id, texts = bring_two(known, speech)
    known.post("/api/enrol", json={"id": id, "texts": texts})
    assert "끝나거나 취소한 뒤에" in begin(known, "park").json()["error"]
    until(lambda: work_of(known)["state"] == "failed")
    assert "초뿐입니다" in work_of(known)["error"]
    known.cookies.set("moksori_lang", "en")
    assert "s of usable speech" in work_of(known)["error"]
    assert not left_there(places) and not [*packs(tmp_path).glob("*.safetensors")]


@pytest.mark.slow
def test_a_cancel_ends_the_process_and_leaves_nothing(known, speech, tmp_path, places, monkeypatch):
    ended, end = [], learning._end
    monkeypatch.setattr(learning, "_end", lambda process: (ended.append(process.pid), end(process)))
    id, texts = bring_two(known, speech)
    number = known.post("/api/enrol", json={"id": id, "texts": texts}).json()
    until(lambda: work_of(known)["stage"] == "preparing")
    assert known.post("/api/cancel", json={"number": number}).json()
    until(lambda: work_of(known)["state"] == "cancelled")
    until(lambda: not at_work(ended[0]))  # its workers have ended, too
    assert not left_there(places) and not [*packs(tmp_path).glob("*.safetensors")]
    assert begin(known).status_code == 200  # the next may come


@pytest.mark.slow
def test_several_people_and_a_dead_process_are_clear_errors(speech, tmp_path, monkeypatch):
    folder = tmp_path / "draft"
    make_recordings(folder / "recordings", "kih", seconds=9)
    for name in ("1.wav", "2.wav", "3.wav"):
        shutil.copy(speech[0] / name, folder / "recordings" / f"other{name}")
        for path in (folder / "recordings").glob(f"*{name}"):
            path.with_suffix(".txt").write_text(speech[1][name], encoding="utf-8")
    asked = learning.Enrolment(
        name="hong", consent=Consent.model_validate(CONSENT), spoken=None, folder=folder,
        model=MODEL, packs=tmp_path / "packs", replace=False, schedule=SHORT,
    )  # fmt: skip
    with pytest.raises(MoksoriError, match="sound like one person"):
        learning.learn(asked, Watch())
    monkeypatch.setattr(learning, "_run", _dies)
    with pytest.raises(MoksoriError, match="ended by itself"):
        learning.learn_apart(asked, Watch())


def _dies(pipe, asked) -> None:
    raise SystemExit(1)


def test_a_voice_is_taken_back_and_says_why_it_is_refused(known, session, tmp_path):
    enrolled(packs(tmp_path), uses=("preview",))
    before = known.get("/api/state").json()["voices"]
    (hong,) = [v for v in known.get("/api/voices").json() if v["name"] == "hong"]
    assert hong["enrolled"] and hong["usable"] and "“시작”의 용도" in hong["why"]
    assert known.post("/api/revoke", json={"name": "lmy"}).status_code == 400
    assert known.post("/api/revoke", json={"name": "../hong"}).status_code == 400
    assert known.post("/api/revoke", json={"name": "hong", "note": "편지"}).status_code == 200
    (hong,) = [v for v in known.get("/api/voices").json() if v["name"] == "hong"]
    assert hong["revoked"] and not hong["usable"] and "철회" in hong["why"]
    assert known.get("/api/state").json()["voices"] != before
    assert session.setup() == Setup()


def test_a_voice_of_the_terminal_is_seen(session, tmp_path):
    session.look()
    before = session.revision
    enrolled(packs(tmp_path))
    until(lambda: session.revision > before)
