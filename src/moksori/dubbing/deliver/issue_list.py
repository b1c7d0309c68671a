"""What preflight found, as a workbook."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from moksori.dubbing.deliver.sheets import Sheet, save_table
from moksori.dubbing.plan.issues import Issue
from moksori.messages import Lang, say

PREFLIGHT = "preflight.xlsx"
_COLUMNS = {"severity": 10, "place": 22, "issue": 100}  # code of the header: width


def save_issues(path: Path, issues: Sequence[Issue], lang: Lang, date: datetime) -> None:
    """Write all issues to an .xlsx, a row each.

    Raises:
        OutputError: the place cannot be written to.
    """
    sheet = Sheet(
        title=say("issues.title", lang),
        headers=[say(f"issues.{name}", lang) for name in _COLUMNS],
        rows=[(i.say_severity(lang), i.say_place(lang), i.say(lang)) for i in issues],
        widths=[*_COLUMNS.values()],
    )
    save_table(path, [sheet], date)
