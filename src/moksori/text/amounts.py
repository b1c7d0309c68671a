"""Amounts of money, and thousands with points as other languages write them: $1.5M, 1.000원."""

import re
from fractions import Fraction

from moksori.text.counters import MONEY, counter_at
from moksori.text.counting import counted
from moksori.text.numbers import NUMBER, Spoken, decimal, sino

_MONEY = "".join(map(re.escape, MONEY))
_SHORT = {"K": (10**3, "케이"), "M": (10**6, "밀리언"), "B": (10**9, "빌리언"),
          "T": (10**12, "트릴리언")}  # fmt: skip
_LARGEST = 10**20  # that has a name
AMOUNT = rf"([{_MONEY}])\s?({NUMBER})(?:([KMBTkmbt])(?![A-Za-z0-9]))?(\s?[십백천만억조]+)?"
POINTED = (
    rf"(?:([{_MONEY}])\s?)?([1-9]\d{{0,2}}(?:\.\d{{3}})+)(?!\d|\.\d|[KMBTkmbt]|\s?[십백천만억조])"
)
_CURRENCIES = ("원", "원짜리", "달러", "유로", "엔", "위안", "파운드")
_PARTED = ("시간", "배")  # native counters of what has parts


def read_amount(match: re.Match[str], line: str) -> Spoken:
    """$3, 삼달러; $2만, 이만달러; $1.5M, 백오십만달러."""
    sign, number, short, scale = match.groups()
    money = (scale or "").strip() + MONEY[sign]
    if not short:
        return Spoken(decimal(number) + money, match.end())
    factor, name = _SHORT[short.upper()]
    value, as_written = Fraction(number.replace(",", "")) * factor, decimal(number) + name + money
    if value.denominator > 1 or value >= _LARGEST:
        return Spoken(as_written, match.end(), "doubt.short")
    return Spoken(sino(int(value)) + money, match.end(), "doubt.short", as_written)


def read_pointed(match: re.Match[str], line: str) -> Spoken | None:
    """1.000원, 천원, or a fraction: 3.459달러, 삼쩜사오구, or 삼천사백오십구. Elsewhere it is a fraction."""
    sign, number = match.groups()
    counter, money = counter_at(line, match.end()), MONEY.get(sign or "", "")
    whole = counter is not None and counter.kind.startswith("native")
    if not money and (
        counter is None or counter.word in _PARTED or not (whole or counter.word in _CURRENCIES)
    ):
        return None
    spoken = counted(number.replace(".", ","), line, match.end())
    thousands = spoken.text + money
    fraction = (
        "쩜".join(map(decimal, number.split("."))) if number.count(".") > 1 else decimal(number)
    )
    fraction += money
    if not (whole or money == "원" or number.endswith("0")) and number.count(".") == 1:
        thousands, fraction = fraction, thousands
    return Spoken(thousands, spoken.end, "doubt.thousands", fraction)
