"""What a request may ask, and how it is answered: as JSON, with errors in the page's language."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from moksori.conversion.consents import Consent
from moksori.errors import MoksoriError
from moksori.files import explain
from moksori.messages import Lang, Message, codes
from moksori.studio.guard import LANG_COOKIE

_JSON_BYTES = 2**20


class Asked(BaseModel):
    """What a request may ask; each route takes its own keys of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    job: str | None = None  # whose page it was asked on, by its folder's name
    lang: Lang = "ko"  # of that page
    id: str = ""
    name: str = Field(default="", max_length=200)
    key: str = Field(default="", pattern="^[0-9a-f]{32}$|^$")
    character: str = ""
    values: dict[str, Any] = {}
    state: str | None = Field(default=None, pattern="^(|ok|retake|hold)$")
    note: str | None = Field(default=None, max_length=10000)
    seen: dict[str, str] = {}  # what the page showed of mark or note when it was asked
    ids: list[str] | None = None
    voices: list[str] = []
    text: str = Field(default="", max_length=2000)
    word: str = Field(default="", max_length=100)
    reading: str = Field(default="", max_length=200)
    number: int = 0
    consent: Consent | None = None
    replace: bool = False
    texts: dict[str, Annotated[str, Field(max_length=2000)]] = {}


def lang_of(request: Request) -> Lang:
    """The language that the page is in."""
    return "en" if request.cookies.get(LANG_COOKIE) == "en" else "ko"


def on_page(what: Message) -> Message:
    """The message, or the one that speaks of the page where it speaks of options and files."""
    code = f"page.{what.code}"
    values = {
        name: on_page(value) if isinstance(value, Message) else value
        for name, value in what.values.items()
    }
    if (field := f"page.field.{str(values.get('key', '')).rpartition('.')[2]}") in codes():
        values["key"] = Message(field, {})
    return Message(code if code in codes() else what.code, values)


Do = Callable[[Request], Awaitable[Any]]


def answer(do: Do) -> Callable[[Request], Awaitable[Response]]:
    """What is given back as JSON; what a user can fix as an error in the page's language."""

    async def endpoint(request: Request) -> Response:
        try:
            found = await do(request)
        except MoksoriError as error:
            said = on_page(error.message).say(lang_of(request))
            return JSONResponse({"error": said}, 400)
        except ValidationError as error:
            return JSONResponse({"error": explain(error).say(lang_of(request))}, 400)
        return found if isinstance(found, Response) else JSONResponse(found)

    return endpoint


async def asked_by(request: Request) -> Asked:
    """What the body of a request asks."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _JSON_BYTES:
            raise HTTPException(413)
    try:
        asked = Asked.model_validate_json(body or b"{}")
        return asked.model_copy(update={"lang": lang_of(request)})
    except UnicodeDecodeError:
        raise HTTPException(400) from None
