"""Who may talk to the page's server: closed by default.

Every request must name this machine as its Host (against DNS rebinding) and, where a browser says from
which page it comes, this very page as its Origin (against other sites). Beyond the login nothing is answered
without the token, which the terminal's link carries and a cookie keeps.
"""

import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from importlib.resources import files
from urllib.parse import parse_qs

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from moksori.config import Seconds
from moksori.messages import Lang, say

LOCAL = "127.0.0.1"
LANG_COOKIE = "moksori_lang"  # which the page's own button sets too
_YEAR = 365 * 24 * 3600  # seconds
_OPEN = ("/static/login.html", "/static/style.css")  # shown to whoever is to give the password
# All addresses of this machine, and one of another (RFC 5737, RFC 3849).
_ANYWHERE = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}
_TRIAL: Seconds = 0.5  # that a trial of a password takes
_PASSWORD_BYTES = 4096  # of a login's body
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),  # wavesurfer styles its shadow tree inline
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none, browsers would say `Origin: null` of the login's form
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where the server listens and what opens it.

    Attributes:
        host: address that it listens on; other machines reach it if it is not this machine's own.
        port: that it listens on.
        password: asked of whoever has no link; None where only the link opens the page.
        token: of the link.
        lang: that the link's page begins in; None for the one that it was in before.
    """

    port: int
    host: str = LOCAL
    password: str | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    lang: Lang | None = None

    @property
    def link(self) -> str:
        """What opens the page on this machine."""
        host = LOCAL if self.host in (*_ANYWHERE, "localhost") else self.host
        return f"http://{_in_link(host)}:{self.port}/?token={self.token}"

    @property
    def address(self) -> str:
        """Where other machines find the page: by this machine's own address if it listens on all."""
        host = _own_address(self.host) if self.host in _ANYWHERE else self.host
        return f"http://{_in_link(host)}:{self.port}"

    @property
    def cookie(self) -> str:
        """Its name; cookies do not tell ports apart."""
        return f"moksori_{self.port}"

    def knows_host(self, name: str) -> bool:
        """Whether a Host header names this server: this machine, or, if opened to others, its address."""
        host, port = _host_and_port(name)
        if port != self.port:
            return False
        if host in (LOCAL, "localhost", self.host):
            return True
        if self.host == LOCAL:
            return False
        own = socket.gethostname().lower()
        return _is_address(host) or host in (own, f"{own}.local")

    def is_token(self, given: str | None) -> bool:
        """Whether it is the token; takes as long for a nearly right one."""
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())

    def is_password(self, given: str) -> bool:
        """Whether it is the password."""
        known = self.password
        return known is not None and hmac.compare_digest(given.encode(), known.encode())


def _in_link(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _own_address(all_of: str) -> str:
    """By which this machine reaches others, found without sending anything; its name without a network."""
    family = socket.AF_INET6 if ":" in all_of else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((_ANYWHERE[all_of], 9))
            return str(asked.getsockname()[0])
    except OSError:
        return socket.gethostname().lower()


def _host_and_port(name: str) -> tuple[str, int]:
    host, sign, port = name.rpartition(":")
    if not sign or not port.isdecimal():
        return name.lower(), 80
    return host.strip("[]").lower(), int(port)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Guard:
    """Lets through to an application only whoever may."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access
        self._turn = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return None  # no web sockets here
        headers = Headers(scope=scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                own = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message["headers"] += [pair for pair in own if pair[0] not in known]
            await send(message)

        answer = await self._refuse_or_log_in(Request(scope, receive), headers)
        await (answer or self.app)(scope, receive, guarded)

    async def _refuse_or_log_in(self, request: Request, headers: Headers) -> Response | None:
        """An answer to whoever may not get through; None for whoever may."""
        access = self.access
        host, origin = headers.getlist("host"), headers.get("origin")
        if len(host) != 1 or not access.knows_host(host[0]):
            return _refused(403, "studio.host")
        if origin is not None and origin != f"http://{host[0]}":
            return _refused(403, "studio.origin")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not _is_visit(request):
            return _refused(403, "studio.origin")
        path = request.url.path
        if path == "/" and access.is_token(request.query_params.get("token")):
            return self._let_in()
        if access.is_token(request.cookies.get(access.cookie)):
            return None
        if access.password is not None:
            if path in _OPEN:
                return None
            if path == "/login" and request.method == "POST":
                return await self._log_in(request)
            if path == "/":
                return RedirectResponse("/static/login.html", 303)
        return _refused(401, "studio.token")

    async def _log_in(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _PASSWORD_BYTES:
                return _refused(413, "studio.password")
        given = parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]
        async with self._turn:  # one trial after the other, so that passwords cannot be tried out
            await anyio.sleep(_TRIAL)
        return self._let_in() if self.access.is_password(given) else _asked_again()

    def _let_in(self) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self.access.cookie, self.access.token, httponly=True, samesite="strict")
        if self.access.lang:
            answer.set_cookie(LANG_COOKIE, self.access.lang, max_age=_YEAR, samesite="strict")
        return answer


def _is_visit(request: Request) -> bool:
    """Whether it is a person who follows a link, which may come from anywhere, and only shows the page."""
    return (
        request.method == "GET"
        and request.headers.get("sec-fetch-mode") == "navigate"
        and request.url.path == "/"
    )


def _asked_again() -> Response:
    """The login once more, which says that the password is another."""
    page = (files("moksori.studio") / "page" / "login.html").read_text(encoding="utf-8")
    said = " · ".join(say("studio.password", lang) for lang in ("ko", "en"))
    return HTMLResponse(page.replace("<!-- said -->", said), 401)


def _refused(status: int, code: str) -> Response:
    return PlainTextResponse(f"{say(code, 'ko')}\n{say(code, 'en')}\n", status)
