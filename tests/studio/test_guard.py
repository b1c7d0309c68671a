"""The server is closed by default: plain requests, as a browser, another site or a stranger would send."""

import json
from types import SimpleNamespace

import pytest
import soundfile
from starlette.testclient import TestClient

from moksori.dubbing.plan.issues import KINDS
from moksori.dubbing.request import load_job
from moksori.errors import OutputError
from moksori.studio.app import create_app
from moksori.studio.guard import LOCAL, Access
from moksori.studio.session import Session
from moksori.studio.uploads import plain_name
from tests.conftest import voiced_wave

HOME = "http://127.0.0.1:7575"


@pytest.fixture
def session(tmp_path):
    """Of a root with one job and a secret beside the job."""
    (tmp_path / "secret.txt").write_text("secret")
    session = Session(tmp_path / "root", workers=1)
    session.open_folder(tmp_path / "root" / "ep01")
    (tmp_path / "root" / "other.wav").write_bytes(b"secret")
    yield session
    session.close()


def client(session, access, base=HOME) -> TestClient:
    return TestClient(create_app(session, access), base_url=base, follow_redirects=False)


@pytest.fixture
def access():
    return Access(port=7575)


@pytest.fixture
def stranger(session, access):
    return client(session, access)


@pytest.fixture
def known(session, access):
    found = client(session, access)
    found.get("/", params={"token": access.token})
    return found


PATHS = (
    "/",
    "/api/state",
    "/api/events",
    "/static/main.js",
    "/api/voices",
    "/api/delivered/reel.wav",
)


def test_nothing_is_answered_without_the_token(stranger, access):
    for path in PATHS:
        assert stranger.get(path).status_code == 401, path
    other = ("y" if access.token.startswith("x") else "x") + access.token[1:]
    assert stranger.get("/", params={"token": other}).status_code == 401
    assert stranger.get("/", params={"token": ""}).status_code == 401
    for name in ("open", "new", "convert", "export", "settings", "mark"):
        assert stranger.post(f"/api/{name}", json={}).status_code == 401, name
    assert stranger.put("/api/script", params={"name": "a.csv"}, content=b"x").status_code == 401
    stranger.cookies.set(access.cookie, "wrong")
    assert stranger.get("/api/state").status_code == 401


def test_the_link_opens_it_and_the_cookie_keeps_it(known, access):
    assert known.get("/api/state").status_code == 200
    assert access.link.startswith("http://127.0.0.1:7575/?token=") and len(access.token) >= 43
    answer = known.get("/", params={"token": access.token})
    assert answer.status_code == 303 and access.token not in answer.headers["location"]
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    policy = known.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http:" not in policy and "unsafe-eval" not in policy


def test_a_folder_that_cannot_be_written_to_is_said_in_words(known, session):
    """Of takes, and of scripts: a file of its name is in its place."""
    desk = session.the_desk()
    desk.checked = SimpleNamespace(lines={"1": None})
    for name in ("takes", "script"):
        (desk.out / name).write_bytes(b"")
    for path, name in (("lines/1/take", "a.wav"), ("script", "a.csv")):
        answer = known.put(f"/api/{path}", params={"name": name}, content=b"x")
        assert answer.status_code == 400 and "error" in answer.json(), path


@pytest.mark.parametrize(
    "host", ["evil.example:7575", "127.0.0.1:80", "127.0.0.1", "localhost.evil.example:7575", "",
             "127.0.0.1:7575@evil.example", "192.168.0.4:7575"],
)  # fmt: skip
def test_another_host_is_refused_even_with_the_token(known, host):
    assert known.get("/api/state", headers={"host": host}).status_code == 403


def test_another_origin_is_refused_even_with_the_token(known):
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:8000",
        "https://127.0.0.1:7575",
    ):
        answer = known.post("/api/check", json={}, headers={"origin": origin})
        assert answer.status_code == 403, origin
    assert known.get("/api/state", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert known.post("/api/check", json={}, headers={"origin": HOME}).status_code == 200
    assert known.get(
        "/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    ).is_success


def test_no_path_outside_the_job_is_read(known, tmp_path):
    for path in (
        "/api/delivered/..%2f..%2fsecret.txt", "/api/delivered/../../secret.txt",
        f"/api/delivered/{tmp_path}/secret.txt", "/api/delivered/%2fetc%2fpasswd",
        "/static/..%2f..%2fapp.py", "/static/%2e%2e/app.py", "/api/one/..%2f..%2fetc%2fpasswd",
        "/api/outcome/..%2f..%2fjob/wave", f"/api/outcome/{'a' * 31}%2f/wave",
        "/api/delivered/.moksori/job.sqlite", "/api/delivered/job.toml",
    ):  # fmt: skip
        answer = known.get(path)
        assert answer.status_code == 404 and b"secret" not in answer.content, path
    for name in ("../other.wav", "..", "/etc", "nowhere", "", "ep01/../../secret"):
        assert known.post("/api/open", json={"name": name}).status_code == 400, name


def test_a_job_is_begun_only_below_the_root(known, session, tmp_path):
    for name in ("../evil", "/tmp/evil", "a/b", "..\\evil"):
        assert known.post("/api/new", json={"name": name}).status_code in (200, 400), name
        assert session.desk.out.parent == session.root
    assert {path.name for path in tmp_path.iterdir()} == {"root", "secret.txt"}
    assert (
        known.post("/api/settings", json={"values": {"script": "/etc/passwd"}}).status_code == 400
    )
    assert (
        known.post("/api/settings", json={"values": {"lexicon": "/etc/passwd"}}).status_code == 400
    )
    assert known.post("/api/settings", json={"values": {"fps": "a"}}).status_code == 200
    assert known.post("/api/settings", json={"values": {"handles": -1}}).status_code == 400
    assert (
        known.post("/api/change", json={"id": "x", "values": {"take": "/etc/passwd"}}).status_code
        == 400
    )


def test_uploads_are_limited_and_checked(known, session, tmp_path, monkeypatch):
    from moksori.studio import uploads

    soundfile.write(tmp_path / "a.wav", voiced_wave(0.5), 22050)
    sound = (tmp_path / "a.wav").read_bytes()
    below = session.desk.out / "recordings"

    def bring(name, content):
        return known.put("/api/recording", params={"name": name}, content=content)

    assert bring("../../../001_하나.wav", sound).status_code == 200
    assert bring("C:\\takes\\002.wav", sound).status_code == 200
    assert {path.name for path in below.iterdir()} == {"001_하나.wav", "002.wav"}
    for name, content in (("a.exe", sound), (".wav", sound), ("a\n.wav", sound), ("a.wav", b"no sound"),
                          ("", sound), ("x" * 300 + ".wav", sound)):  # fmt: skip
        assert bring(name, content).status_code == 400, name
    wrong = bring("a.wav", b"no sound").json()["error"]
    assert wrong.startswith("a.wav: ") and str(tmp_path) not in wrong
    monkeypatch.setattr(uploads, "TRACK_BYTES", len(sound) - 1)
    assert bring("large.wav", sound).status_code == 400
    assert {path.name for path in below.iterdir()} == {"001_하나.wav", "002.wav"}
    assert known.put("/api/script", params={"name": "s.py"}, content=b"x").status_code == 400
    assert (
        known.put("/api/lines/nobody/take", params={"name": "a.wav"}, content=sound).status_code
        == 400
    )
    assert known.post("/api/check", content=b"{" + b" " * 2**21 + b"}").status_code == 413
    assert known.post("/api/check", content=b"\xff\xfe").status_code == 400
    with pytest.raises(OutputError):
        plain_name("..", ("",))


def test_other_machines_need_the_password(session):
    access = Access(port=7575, host="0.0.0.0", password="달빛")
    there = client(session, access, "http://192.168.0.4:7575")
    assert there.get("/").headers["location"] == "/static/login.html"
    assert there.get("/api/state").status_code == 401
    assert there.get("/static/main.js").status_code == 401
    assert there.get("/static/login.html").status_code == 200
    assert there.get("/static/login.html", headers={"host": "evil.example:7575"}).status_code == 403
    wrong = there.post("/login", data={"password": "wrong"})
    assert wrong.status_code == 401 and "wrong password" in wrong.text
    assert 'name="password"' in wrong.text  # to be tried again, from the same page
    assert there.post("/login", data={"password": "x" * 5000}).status_code == 413
    assert (
        there.post(
            "/login", data={"password": "달빛"}, headers={"origin": "http://evil.example"}
        ).status_code
        == 403
    )
    assert there.post("/login", data={"password": "달빛"}).status_code == 303
    assert there.get("/api/state").status_code == 200


def test_without_a_password_there_is_no_login_and_host_needs_one(stranger):
    from typer.testing import CliRunner

    from moksori.cli import app

    assert stranger.post("/login", data={"password": ""}).status_code == 401
    assert Access(port=1).host == LOCAL
    refused = CliRunner().invoke(app, ["studio", "--host", "0.0.0.0", "--no-browser"])
    assert refused.exit_code != 0 and "--password" in str(refused.exception)


def test_a_port_that_is_taken_is_said_before_anything_opens(tmp_path):
    import socket

    from typer.testing import CliRunner

    from moksori.cli import app

    with socket.create_server((LOCAL, 0)) as other:
        port = str(other.getsockname()[1])
        asked = ["studio", "--root", str(tmp_path), "--port", port]
        refused = CliRunner().invoke(app, asked)
    assert refused.exit_code != 0 and "--port" in str(refused.exception)


def test_other_machines_are_told_an_address_that_they_can_reach(monkeypatch):
    """0.0.0.0 is where it listens, and opens on no phone."""
    import socket

    everywhere = Access(host="0.0.0.0", port=7575)
    assert "//0.0.0.0" not in everywhere.address and everywhere.address.endswith(":7575")
    assert everywhere.knows_host(everywhere.address.removeprefix("http://"))
    assert Access(host="fd00::2", port=1).address == "http://[fd00::2]:1"
    assert Access(host="10.0.0.5", port=1).address == "http://10.0.0.5:1"

    def no_network(self, address):
        raise OSError

    monkeypatch.setattr(socket.socket, "connect", no_network)
    assert everywhere.address == f"http://{socket.gethostname().lower()}:7575"


@pytest.mark.parametrize("option", [(), ("--root",)])
def test_a_script_is_no_job_s_folder(tmp_path, option):
    """And none is made beside it."""
    from typer.testing import CliRunner

    from moksori.cli import app

    (script := tmp_path / "1화.xlsx").write_bytes(b"PK")
    refused = CliRunner().invoke(app, ["studio", *option, str(script), "--no-browser"])
    assert isinstance(refused.exception, OutputError) and "1화.xlsx" in str(refused.exception)
    assert [*tmp_path.iterdir()] == [script]


def test_the_command_speaks_as_the_other_commands_of_a_job_do(tmp_path, monkeypatch):
    """Korean, unless --lang or MOKSORI_LANG says otherwise."""
    import socket

    from typer.testing import CliRunner

    from moksori.cli import app, console
    from moksori.studio.server import Server

    monkeypatch.setattr(console, "language", "en")  # what the command changes, put back
    monkeypatch.setattr(Server, "run", lambda self, sockets: [each.close() for each in sockets])
    with socket.create_server((LOCAL, 0)) as free:
        port = str(free.getsockname()[1])

    def said(*asked, lang=""):
        named = ["studio", "--root", str(tmp_path), "--port", port, "--no-browser", *asked]
        return CliRunner().invoke(app, named, env={"MOKSORI_LANG": lang}).stdout

    assert said().startswith("Studio를 엽니다: http://")
    assert said(lang="en").startswith("Studio: http://")
    assert said("--lang", "ko", lang="en").startswith("Studio를 엽니다: http://")


def test_page_and_reports_are_in_the_language_that_was_asked_for(tmp_path, monkeypatch):
    """As `moksori dub --lang` asks it of a job: named or by MOKSORI_LANG; otherwise the job keeps its own."""
    import socket

    from typer.testing import CliRunner

    from moksori.cli import app, console
    from moksori.studio.server import Server

    cookies = []

    class Visited(Server):
        def __init__(self, session, access):
            page = client(session, access, f"http://{LOCAL}:{access.port}")
            page.get("/", params={"token": access.token})
            cookies.append(page.cookies.get("moksori_lang"))
            self.session = session

        def run(self, sockets):
            sockets[0].close()
            self.session.close()

    monkeypatch.setattr(console, "language", "en")  # what the command changes, put back
    monkeypatch.setattr("moksori.studio.server.Server", Visited)
    with socket.create_server((LOCAL, 0)) as free:
        port = str(free.getsockname()[1])

    def lang_of_job(name, *asked, lang=""):
        named = ["studio", str(tmp_path / name), "--port", port, "--no-browser", *asked]
        done = CliRunner().invoke(app, named, env={"MOKSORI_LANG": lang})
        assert not done.exception, done.exception
        return load_job(tmp_path / name).lang

    assert [lang_of_job("a"), lang_of_job("b", lang="en"), lang_of_job("b")] == ["ko", "en", "en"]
    assert [lang_of_job("b", "--lang", "ko"), lang_of_job("a", "--lang", "en")] == ["ko", "en"]
    assert cookies == [None, "en", None, "ko", "en"]


def test_a_job_that_an_english_page_begins_reports_in_english(session, known):
    for lang, name in (("en", "ep02"), ("ko", "ep03")):
        known.cookies.set("moksori_lang", lang, domain=LOCAL)
        assert known.post("/api/new", json={"name": name}).status_code == 200
        assert load_job(session.root / name).lang == lang
        assert known.get("/api/state").json()["job"]["settings"]["lang"] == lang
    known.cookies.set("moksori_lang", "en", domain=LOCAL)
    assert known.post("/api/demo", json={}).status_code == 200
    assert load_job(session.root / "demo").lang == "en"


def test_what_the_page_loads_is_all_here(known):
    """No file of the page names another machine."""
    import re
    from importlib.resources import files

    page = files("moksori.studio") / "page"
    for item in page.iterdir():
        text = item.read_text(encoding="utf-8")
        if item.name.startswith("wavesurfer"):
            continue
        assert not re.search(r"https?://|//cdn|@import", text), item.name
        for name in re.findall(
            r'(?:from |src=|href=)"\.?/?(?:static/)?([\w.]+\.(?:js|css))"', text
        ):
            assert (page / name).is_file(), f"{item.name}: {name}"
    for name in re.findall(r'"/static/([\w.]+)"', (page / "index.html").read_text()):
        assert known.get(f"/static/{name}").status_code == 200


def page_words() -> dict[str, str]:
    """What the page says, by key: its pairs of Korean and English, as JSON."""
    import re
    from importlib.resources import files

    text = (files("moksori.studio") / "page" / "words.js").read_text("utf-8")
    return dict(re.findall(r'^  "([\w.]+)": (\[.+\]),$', text, re.M))


def test_every_kind_of_issue_has_a_heading_on_the_page():
    headings = {key.removeprefix("kind.") for key in page_words() if key.startswith("kind.")}
    assert headings == set(KINDS)


def test_every_word_of_the_page_is_in_both_languages():
    import re
    from importlib.resources import files

    page, words = files("moksori.studio") / "page", page_words()
    for key, pair in words.items():
        korean, english = json.loads(pair)
        assert korean and english and not re.search("[가-힣]", english), key
        assert set(re.findall(r"{\w+}", korean)) == set(re.findall(r"{\w+}", english)), key
    own = [item for item in page.iterdir() if item.name.endswith(".js") and "wave" not in item.name]
    source = "".join(item.read_text("utf-8") for item in own)
    said, built = (
        set(re.findall(r'\bt\("([\w.]+)"', source)),
        re.findall(r"\bt\(`([\w.]+)\$", source),
    )
    assert said and said <= words.keys()
    for key in words:
        assert (
            key in said
            or f'"{key}"' in source.replace(f'"{key}":', "")
            or key.startswith(tuple(built))
        ), key


def test_the_server_is_ended_without_an_error_on_the_terminal(tmp_path):
    """By Ctrl-C, while a page waits for news; the browser that is opened finds it listening."""
    import re
    import signal
    import subprocess
    import sys
    import urllib.request
    from http.cookiejar import CookieJar

    command = [sys.executable, "-m", "moksori", "studio", "--root", str(tmp_path), "--no-browser"]
    with subprocess.Popen(
        [*command, "--port", "7593"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as studio:
        link = re.search(r"http://\S+", studio.stdout.readline())[0]
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        browser = urllib.request.build_opener(cookies)
        assert b"Moksori Studio" in browser.open(link, timeout=60).read()
        news = browser.open("http://127.0.0.1:7593/api/events", timeout=60)
        assert news.readline() == b"data: 0\n"
        studio.send_signal(signal.SIGINT)
        said, wrong = studio.communicate(timeout=60)
    assert not wrong and "Traceback" not in said
