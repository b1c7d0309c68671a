"""Workbooks by what they are, whatever their suffix says."""

from contextlib import suppress
from pathlib import Path

from moksori.errors import ScriptError
from moksori.files import read_bytes
from moksori.script.ods import read_ods
from moksori.script.package import OLE, ZIP, check_kind, kind_of
from moksori.script.tables import Table
from moksori.script.xls import read_xls
from moksori.script.xlsx import read_xlsx

_ZIP = b"PK\x03\x04"
_PAGES = (b"<html", b"<table", b"<!doctype", b"mime-version", b"<?xml")  # that others call .xls


def is_workbook(path: Path) -> bool:
    """Whether a file begins as workbooks do."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(OLE)).startswith((_ZIP, OLE))
    return False


def read_workbook(path: Path) -> list[Table]:
    """Read all sheets of an .xlsx, .xlsm, .xls or .ods.

    Raises:
        ScriptError: damaged, protected by a password, larger than any script when unpacked, or no workbook.
    """
    content = read_bytes(path, ScriptError)
    if content.startswith(OLE):
        return read_xls(path, content)
    if content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        raise ScriptError.of("script.page_workbook", file=path)
    if content.startswith(ZIP):
        check_kind(path, content, (".xlsx", ".ods"))
        return (read_ods if kind_of(content) == ".ods" else read_xlsx)(path, content)
    raise ScriptError.of("script.no_workbook", file=path)
