"""What preflight found, as a workbook."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from moksori.dubbing.deliver.sheets import Sheet, save_table
from moksori.dubbing.plan.issues import Issue, entries
from moksori.messages import Lang, say

PREFLIGHT = "preflight.xlsx"
_COLUMNS = {"severity": 10, "place": 22, "issue": 100}  # code of the header: width


def save_issues(path: Path, issues: Sequence[Issue], lang: Lang, date: datetime) -> None:
    """Write all issues to an .xlsx; those that say the same of several lines are one row.

    Raises:
        OutputError: the place cannot be written to.
    """
    sheet = Sheet(
        title=say("issues.title", lang),
        headers=[say(f"issues.{name}", lang) for name in _COLUMNS],
        rows=[
            (entry.issue.say_severity(lang), entry.say_places(lang), entry.issue.say(lang))
            for entry in entries(issues)
        ],
        widths=[*_COLUMNS.values()],
    )
    save_table(path, [sheet], date)
