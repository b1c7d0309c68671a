"""The page's server: routes, each a few lines around the session. See guard.py for who may use them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from moksori import __version__
from moksori.dubbing.new_takes import new_take
from moksori.dubbing.records import PER_LINE
from moksori.errors import ConfigError
from moksori.extras import check_enrolment
from moksori.messages import Lang
from moksori.studio import folders, sounds, uploads, view
from moksori.studio.answers import Asked, Do, answer, asked_by, lang_of
from moksori.studio.guard import Access, Guard
from moksori.studio.session import Session
from moksori.studio.voices import take_back, voices_sign, voices_view

_OF_NO_JOB = ("open", "new", "demo", "cancel", "enrol_begin", "enrol", "enrol_drop", "revoke")
_POLL, _BEAT = 0.05, 15.0  # seconds between looks at the revision; between signs of life


class Api:
    """What the page asks of a session, by its names."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._numbers, self._turn = count(1), anyio.Lock()

    async def in_turn(self, job: str | None, do: Callable[..., Any], *args: Any, **k: Any) -> Any:
        """Do what changes something in a thread, one at a time, so that no request undoes another's.

        Args:
            job: that it is meant for, by its folder's name; None for whichever is open.
            do: what is done, with the other arguments.

        Raises:
            ConfigError: another job has been opened since.
        """
        async with self._turn:
            self.session.see_job(job)
            return await run_in_threadpool(do, *args, **k)

    # Each of these is POST /api/<name> with JSON of `Asked`.

    def open(self, asked: Asked) -> None:
        self.session.open(folders.job_of(self.session.root, asked.name))

    def new(self, asked: Asked) -> None:
        self.session.open(folders.new_job(self.session.root, asked.name, asked.lang))

    def demo(self, asked: Asked) -> None:
        self.session.open(folders.demo_job(self.session.root, asked.lang))

    def settings(self, asked: Asked) -> None:
        known = {"fps", "start", "episode", "columns", "channels", "pattern", "handles", "mean_f0",
                 "sample_rate", "loudness", "floor", "without", "spell", "lang", "hidden",
                 "treble", "length", "stems", "purpose", "title"}  # fmt: skip
        if unknown := asked.values.keys() - known:
            raise ConfigError.of("studio.setting", name=sorted(unknown)[0])
        empty = {
            "fps",
            "start",
            "episode",
            "pattern",
            "length",
            "purpose",
            "title",
        }  # as if they were not said
        values = {k: v or None if k in empty else v for k, v in asked.values.items()}
        self.session.save(**values)

    def choose(self, asked: Asked) -> None:
        self.session.choose(asked.id, asked.name)

    def cast(self, asked: Asked) -> None:
        self.session.cast(asked.character, asked.values)

    def check(self, asked: Asked) -> None:
        self.session.the_desk().refresh()

    def mark(self, asked: Asked) -> str:
        return self.session.mark(asked.id, asked.state, asked.note, asked.key, asked.seen)

    def change(self, asked: Asked) -> None:
        self.session.change(asked.id, _of_line(asked))

    def original(self, asked: Asked) -> None:
        self.session.change(asked.id, {"take": None})

    def back(self, asked: Asked) -> None:
        self.session.go_back(asked.id, asked.key)

    def convert(self, asked: Asked) -> int:
        if asked.values:  # of the one line
            self.session.change(asked.id, _of_line(asked), check=False)
        return self.session.the_desk().convert(asked.ids).number

    def audition(self, asked: Asked) -> int:
        return self.session.the_desk().audition(asked.id, asked.voices).number

    def export(self, asked: Asked) -> int:
        return self.session.the_desk().export().number

    def cancel(self, asked: Asked) -> bool:
        return self.session.works.cancel(asked.number)

    def forget(self, asked: Asked) -> None:
        self.session.forget(asked.id)

    def lexicon(self, asked: Asked) -> None:
        self.session.add_reading(asked.word.strip(), asked.reading.strip())

    def enrol_begin(self, asked: Asked) -> str:
        session = self.session
        return session.enrolling.begin(asked.name, asked.consent, asked.replace, session.setup())

    def enrol(self, asked: Asked) -> int:
        return self.session.enrolling.start(asked.id, asked.texts).number

    def enrol_drop(self, asked: Asked) -> None:
        self.session.enrolling.drop(asked.id)

    def revoke(self, asked: Asked) -> None:
        take_back(self.session.setup(), asked.name, asked.note or "")
        self.session.look()

    # What is read

    def state(self, lang: Lang) -> dict[str, Any]:
        """The whole page."""
        session = self.session
        return {
            "revision": session.revision, "version": __version__,
            "jobs": [
                {"name": name, "title": folders.name_of(session.root / name)}
                for name in folders.jobs_below(session.root)
            ],
            "voices": voices_sign(session.setup()),
            "kinds": {"script": [*uploads.SCRIPT_KINDS], "recording": [*uploads.SOUND_KINDS]},
            "job": view.job_view(session.desk, lang) if session.desk else None,
            "works": [view.work_view(work, lang) for work in session.works.all()],
        }  # fmt: skip

    def enrolment(self, lang: Lang) -> dict[str, str]:
        """What is to be installed before a voice can be enrolled."""
        try:
            check_enrolment()
        except ConfigError as error:
            return {"missing": error.say(lang)}
        return {"missing": ""}

    async def events(self) -> AsyncIterator[str]:
        """A line for each change of the revision."""
        seen, quiet = -1, 0.0
        while not self.session.leaving:
            if self.session.revision != seen:
                seen, quiet = self.session.revision, 0.0
                yield f"data: {seen}\n\n"
            elif quiet >= _BEAT:
                quiet = 0.0
                yield ": here\n\n"
            await anyio.sleep(_POLL)
            quiet += _POLL

    # Files that are brought

    def _job(self, request: Request) -> str:
        """The folder's name of the job that a file is brought for: the page's, if that is the open one.

        Raises:
            ConfigError: none is open, or another one than the page's.
        """
        self.session.see_job(request.query_params.get("job"))
        return self.session.the_desk().out.name

    async def bring_script(self, request: Request) -> None:
        name = uploads.plain_name(request.query_params.get("name", ""), uploads.SCRIPT_KINDS)
        job = self._job(request)
        place = self.session.place_of_script(name)
        await uploads.receive(request, place, uploads.SCRIPT_BYTES)
        await self.in_turn(job, self.session.save, script=place)

    async def bring_recording(self, request: Request) -> None:
        name = uploads.plain_name(request.query_params.get("name", ""), uploads.SOUND_KINDS)
        job = self._job(request)
        place = self.session.place_of_recording(name)
        await uploads.receive(request, place, uploads.TRACK_BYTES, uploads.check_sound)
        track = request.query_params.get("track") == "1"
        await self.in_turn(job, self.session.save, audio=place if track else place.parent)

    async def bring_take(self, request: Request) -> None:
        id, job = request.path_params["id"], self._job(request)
        desk = self.session.the_desk()
        if desk.checked is None or id not in desk.checked.lines:
            raise ConfigError.of("studio.no_line", line=id)
        name = uploads.plain_name(request.query_params.get("name", ""), uploads.SOUND_KINDS)
        with new_take(desk.out, id, Path(name).suffix.lower()) as place:
            await uploads.receive(
                request, place, uploads.TAKE_BYTES, uploads.check_sound, name=name
            )
            await self.in_turn(job, self.session.change, id, {"take": place})

    async def bring_of_voice(self, request: Request) -> None:
        await self.session.enrolling.bring(request.path_params["id"], request, spoken=False)

    async def bring_consent(self, request: Request) -> None:
        await self.session.enrolling.bring(request.path_params["id"], request, spoken=True)

    async def bring_line(self, request: Request) -> int:
        name = uploads.plain_name(request.query_params.get("name", ""), uploads.SOUND_KINDS)
        place = self.session.singles.folder / f"{next(self._numbers)}{Path(name).suffix.lower()}"
        await uploads.receive(request, place, uploads.TAKE_BYTES, uploads.check_sound, name=name)
        voices = request.query_params.getlist("voice")[:4]
        text = request.query_params.get("text", "")[:2000]
        return self.session.singles.convert(place, text, voices).number


def _of_line(asked: Asked) -> dict[str, Any]:
    """What may be asked of a single line."""
    if unknown := asked.values.keys() - {"text", *PER_LINE}:
        raise ConfigError.of("studio.setting", name=sorted(unknown)[0])
    return asked.values


def create_app(session: Session, access: Access) -> Starlette:
    """The server of a session, closed to all but whom `access` lets in."""
    api = Api(session)

    def post(name: str) -> Route:
        do = getattr(api, name)

        async def run(request: Request) -> Any:
            asked = await asked_by(request)
            return await api.in_turn(None if name in _OF_NO_JOB else asked.job, do, asked)

        return Route(f"/api/{name}", answer(run), methods=["POST"])

    def get(path: str, do: Callable[[Request], Any]) -> Route:
        async def run(request: Request) -> Any:
            found = await run_in_threadpool(do, request)
            if found is None:
                raise HTTPException(404)
            return found

        return Route(f"/api/{path}", answer(run))

    def put(path: str, do: Do) -> Route:
        return Route(f"/api/{path}", answer(do), methods=["PUT"])

    async def events(request: Request) -> Response:
        return StreamingResponse(api.events(), media_type="text/event-stream")

    page = Path(str(files("moksori.studio") / "page"))

    async def index(request: Request) -> Response:
        return FileResponse(page / "index.html", headers={"cache-control": "no-cache"})

    posts = ("open", "new", "demo", "choose", "settings", "cast", "check", "mark", "change", "original",
             "back", "convert", "audition", "export", "cancel", "lexicon", "forget",
             "enrol_begin", "enrol", "enrol_drop", "revoke")  # fmt: skip
    routes = [
        Route("/", index),
        Route("/api/events", events),
        get("state", lambda request: api.state(lang_of(request))),
        get("voices", lambda request: voices_view(session.setup(), lang_of(request))),
        get("enrolment", lambda request: api.enrolment(lang_of(request))),
        get("preview", lambda request: sounds.preview(session, lang_of(request))),
        get("reading", lambda request: view.reading_view(
            session.the_desk(), request.query_params.get("text", "")[:2000], lang_of(request))),
        get("lines/{id}", lambda request: view.line_view(
            session.the_desk(), request.path_params["id"], lang_of(request))),
        get("lines/{id}/source", lambda r: sounds.source(session, r.path_params["id"])),
        get("outcome/{key}/{what}", lambda r: sounds.outcome(session, **r.path_params)),
        get("sample/{voice}", lambda r: sounds.sample(session, r.path_params["voice"])),
        get("one/{name}", lambda r: sounds.loose(session, r.path_params["name"])),
        get("delivered", lambda request: sounds.delivered(session)),
        get("delivered/{path:path}", lambda r: sounds.delivered_file(session, r.path_params["path"])),
        put("script", api.bring_script),
        put("recording", api.bring_recording),
        put("lines/{id}/take", api.bring_take),
        put("one", api.bring_line),
        put("enrolment/{id}/recording", api.bring_of_voice),
        put("enrolment/{id}/spoken", api.bring_consent),
        *map(post, posts),
        Mount("/static", StaticFiles(directory=page)),
    ]  # fmt: skip

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(session.close)

    middleware = [Middleware(Guard, access=access), Middleware(GZipMiddleware, minimum_size=2000)]
    return Starlette(routes=routes, middleware=middleware, lifespan=life)
