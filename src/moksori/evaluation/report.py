"""Rows to a summary: each figure with its interval, beside its ceiling and its floor; a page to listen to.

OUT/summary.json   every figure by group
OUT/figures.png    how each figure spreads over the lines
OUT/index.html     the summary, the plots, and every line with players
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from jinja2 import Environment
from matplotlib.figure import Figure as Picture

from moksori.alignment.plots import hangul_font
from moksori.conversion.slips import LIMIT
from moksori.evaluation.judge import Row
from moksori.evaluation.voices import Voices
from moksori.files import relative
from moksori.messages import Lang, codes, say
from moksori.metrics.effort import EffortFollowed, followed
from moksori.metrics.measures import gap_closed, interval
from moksori.writing import atomic_write


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A metric of a group of lines; ceiling, floor and interval are NaN where there is none.

    Attributes:
        code: what it is, of the catalogue's `evaluate.figure`.
        group: of the lines.
        lines: how many it is of.
        value: of the converted lines.
        low: of its 95% interval.
        high: of its 95% interval.
        ceiling: what real speech reaches.
        floor: what the unconverted source has.
        of: what the ceiling is of, of the catalogue's `evaluate.of`; empty where it is of nothing.
        percent: whether it reads as a share.
    """

    code: str
    group: str
    lines: int
    value: float
    low: float
    high: float
    ceiling: float
    floor: float
    of: str
    percent: bool

    @property
    def name(self) -> str:
        """What it is, in English, as `summary.json` has it."""
        return self.say("en")

    def say(self, lang: Lang) -> str:
        """What it is, in words."""
        return say(f"evaluate.figure.{self.code}", lang)

    def say_of(self, lang: Lang) -> str:
        """What the ceiling is of, in words."""
        return say(f"evaluate.of.{self.of}", lang) if self.of else ""

    def written(self, value: float) -> str:
        """A value of this metric, as the tables show it."""
        if np.isnan(value):
            return ""
        return f"{value:.1%}" if self.percent else f"{value:.3f}"


def summarise(rows: list[Row], voices: Voices) -> list[Summary]:
    """The metrics of each group and of all lines together; lines with a problem are left out."""
    done = [row for row in rows if not row["problem"]]
    groups = sorted({row["group"] for row in done})
    if groups != ["all"]:
        groups.append("all")
    return [
        figure
        for group in groups
        for figure in _of_group(
            group, [row for row in done if group in (row["group"], "all")], voices
        )
    ]


def _of_group(group: str, rows: list[Row], voices: Voices) -> list[Summary]:
    similarity, accuracy = voices.ceilings({row["voice"] for row in rows})
    found = []

    def add(
        code: str,
        columns: tuple[str, ...],
        statistic: Callable[[np.ndarray], float],
        ceiling: float | str = float("nan"),
        floor: float | str = float("nan"),
        of: str = "",
        percent: bool = False,
    ) -> None:
        """A metric of the rows that have all `columns`; a column's name stands for its mean.

        One that these rows cannot give is left out: of effort, that of actors with a single line each; of
        voices, what needs real recordings.
        """
        have = [row for row in rows if all(row[column] is not None for column in columns)]
        if not have:
            return
        table = np.array([[row[column] for column in columns] for row in have], dtype=float)
        top, bottom = (
            _mean([row[x] for row in have if row[x] is not None]) if isinstance(x, str) else x
            for x in (ceiling, floor)
        )
        value, low, high = interval(table, statistic)
        if np.isnan(value):
            return
        found.append(
            Summary(
                code=code, group=group, lines=len(have), value=value, low=low, high=high,
                ceiling=top, floor=bottom, of="" if np.isnan(top) else of, percent=percent,
            )
        )  # fmt: skip

    def mean(table: np.ndarray) -> float:
        return float(table[:, 0].mean())

    def share(table: np.ndarray) -> float:
        return float(table[:, 0].sum() / table[:, 1].sum())

    def gap(table: np.ndarray) -> float:
        return gap_closed(table[:, 0].mean(), table[:, 1].mean(), similarity)

    def suspected(table: np.ndarray) -> float:
        return float((table[:, 0] > LIMIT).mean())

    for row in rows:
        row["named"] = _named(row, "nearest_voice")
        row["named_source"] = _named(row, "nearest_voice_source")
    actors = sorted({f"{row['actor']} {row['voice']}" for row in rows if row["actor"]})
    for row in rows:
        known = row["actor"] and row["alpha_ratio"] is not None
        row["actor_and_voice"] = actors.index(f"{row['actor']} {row['voice']}") if known else None
    letters = sum(row["letters"] or 0 for row in rows)
    heard = sum(row["errors_recording"] or 0 for row in rows) / letters if letters else float("nan")
    both = ("similarity", "similarity_source")
    add("cer", ("errors", "letters"), share, heard, of="recordings", percent=True)
    add("similarity", ("similarity",), mean, similarity, "similarity_source", "real")
    add("gap_closed", both, gap, 1.0, 0.0, "real", percent=True)
    add("identification", ("named",), mean, accuracy, "named_source", "real", percent=True)
    add("dnsmos", ("dnsmos",), mean, "dnsmos_copy", "dnsmos_recording", "copy")
    add("f0_correlation", ("f0_correlation",), mean, "f0_correlation_copy", of="copy")
    add("voicing_error", ("voicing_error",), mean, "voicing_error_copy", of="copy", percent=True)
    for column in ("alpha_ratio", "hnr"):
        columns = (column, f"{column}_source", "actor_and_voice")
        add(f"{column}_correlation", columns, lambda t: _followed(t).correlation, 1.0)
        add(f"{column}_spread", columns, lambda t: _followed(t).spread, 1.0)
    add("mcd", ("mcd",), mean, floor="mcd_source")
    less = ("mcd", "mcd_source")
    add("mcd_less", less, lambda t: share(t) - 1, floor=0.0, percent=True)
    add("same_length", ("samples_off",), lambda t: float((t == 0).mean()), 1.0, percent=True)
    add("envelope_correlation", ("envelope_correlation",), mean)
    nearer = (*both, "envelope_correlation")
    add("nearer", nearer, lambda t: float((t[:, 0] > t[:, 1]).mean()), percent=True)
    add("slips_found", ("slip_changed",), suspected, 1.0, percent=True)
    add("slips_suspected", ("slip",), suspected, 0.0, percent=True)
    add("confidence", ("confidence",), mean)
    add("time", ("taken", "seconds"), share)
    return found


def _followed(table: np.ndarray) -> EffortFollowed:
    """Of rows of a conversion's measure, its source's, and the number of actor and voice."""
    return followed(table[:, 1], table[:, 0], table[:, 2])


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _named(row: Row, column: str) -> float | None:
    return float(row[column] == row["voice"]) if row[column] else None


def write_report(
    rows: list[Row], figures: list[Summary], out: Path, source: str, lang: Lang = "en"
) -> Path:
    """Write `summary.json`, `figures.png` and `index.html` into `out`.

    Args:
        rows: a conversion each.
        figures: of them.
        out: the folder of the evaluation.
        source: what the lines are of.
        lang: of page and plots; `summary.json`, which programs read, is in English.

    Returns:
        The page's path.
    """
    summary = [
        {"name": figure.name}
        | {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in vars(figure).items()}
        | {"of": figure.say_of("en")}
        for figure in figures
    ]
    atomic_write(out / "summary.json", json.dumps(summary, indent=1, ensure_ascii=False))
    _draw([row for row in rows if not row["problem"]], out / "figures.png", lang)
    text = files("moksori.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    lines: list[dict[str, Any]] = [
        row | {"source": _url(relative(Path(row["recording"]), out))} for row in rows
    ]
    page = Environment(autoescape=True).from_string(text)
    path = out / "index.html"
    page_title = say("evaluate.title", lang, source=source, lines=len(rows))
    heard = page.render(
        title=page_title, figures=figures, lines=lines, lang=lang, say=partial(say, lang=lang),
        of_group=partial(say_group, lang=lang),
    )  # fmt: skip
    atomic_write(path, heard)
    return path


def say_group(group: str, lang: Lang) -> str:
    """A group of lines in words; one that the user's list names, as it is named there."""
    code = f"evaluate.group.{group}"
    return say(code, lang) if code in codes() else group


def _url(path: str) -> str:
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path)


_PANELS = (  # by their figures: columns, and what each is of
    ("cer", ("errors", "errors_recording"), ("converted", "recording")),
    ("similarity", ("similarity", "similarity_source"), ("converted", "source")),
    ("dnsmos", ("dnsmos", "dnsmos_copy", "dnsmos_recording"), ("converted", "copy", "recording")),
    ("f0_correlation", ("f0_correlation", "f0_correlation_copy"), ("converted", "copy")),
    ("voicing_error", ("voicing_error", "voicing_error_copy"), ("converted", "copy")),
    ("mcd", ("mcd", "mcd_source"), ("converted", "source")),
)


def _draw(rows: list[Row], path: Path, lang: Lang) -> None:
    """A panel a metric: every line a dot, with the quartiles."""
    picture = Picture(figsize=(12, 7), layout="constrained")
    chance = np.random.default_rng(0)
    for axis, (code, columns, labels) in zip(picture.subplots(2, 3).flat, _PANELS, strict=True):
        axis.set_title(say(f"evaluate.figure.{code}", lang), fontproperties=hangul_font(12))
        values = [
            [
                row[c] / (row["letters"] if "errors" in c else 1)
                for row in rows
                if row[c] is not None
            ]
            for c in columns
        ]
        if not all(values):
            axis.text(
                0.5, 0.5, say("evaluate.not_measured", lang), ha="center", transform=axis.transAxes,
                fontproperties=hangul_font(10),
            )  # fmt: skip
            continue
        axis.boxplot(values, showfliers=False)
        names = [say(f"evaluate.head.{label}", lang) for label in labels]
        axis.set_xticks(range(1, len(names) + 1), names, fontproperties=hangul_font(10))
        for place, dots in enumerate(values, 1):
            axis.scatter(place + chance.uniform(-0.15, 0.15, len(dots)), dots, s=6, alpha=0.5)
    picture.savefig(path, dpi=110)
