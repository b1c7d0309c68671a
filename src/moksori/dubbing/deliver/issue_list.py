"""What preflight found, as a workbook."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from moksori.dubbing.deliver.sheets import Sheet, save_table
from moksori.dubbing.plan.issues import Issue
from moksori.messages import Lang


def save_issues(path: Path, issues: Sequence[Issue], lang: Lang, date: datetime) -> None:
    """Write all issues to an .xlsx, a row each.

    Raises:
        OutputError: the place cannot be written to.
    """
    headers = ("심각도", "위치", "내용") if lang == "ko" else ("severity", "place", "issue")
    rows = [(i.say_severity(lang), i.say_place(lang), i.say(lang)) for i in issues]
    title = "점검" if lang == "ko" else "preflight"
    save_table(path, [Sheet(title, headers, rows, (10, 22, 100))], date)
