"""The examples of docs/extending.md run, and what they add is used."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from moksori.config import AudioConfig
from moksori.conversion.card import VocoderCard
from moksori.conversion.checkpoint import load_conversion, load_vocoder, save_model
from moksori.conversion.converter import Converter
from moksori.dubbing.deliver import deliverables
from moksori.dubbing.deliver.material import Material
from moksori.dubbing.deliver.spec import DeliverySpec
from moksori.dubbing.records import Dubbed, Role, Take
from moksori.dubbing.work import flags
from moksori.errors import CheckpointError
from moksori.models.vocoder import VOCODER_KINDS
from moksori.script.line import Line, Place
from moksori.script.script import READERS, read_script
from moksori.text.front_end import FRONT_ENDS
from moksori.weights import MODEL
from tests.conftest import DEMO, DEMO_TEXT

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
EXAMPLES = dict(
    re.findall(r"^## (.+?)\n.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
)


@pytest.fixture(autouse=True)
def tables(monkeypatch):
    """What an example adds goes with its test."""
    for table in (VOCODER_KINDS, READERS, FRONT_ENDS):
        for key, value in table.items():
            monkeypatch.setitem(table, key, value)
    monkeypatch.setattr(deliverables, "DELIVERABLES", deliverables.DELIVERABLES)
    monkeypatch.setattr(flags, "RULES", flags.RULES)
    before = [{*table} for table in (VOCODER_KINDS, READERS, FRONT_ENDS)]
    yield
    for table, keys in zip((VOCODER_KINDS, READERS, FRONT_ENDS), before, strict=True):
        for key in {*table} - keys:
            del table[key]


def run(title: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(EXAMPLES[title], names)
    return names


def row(**metrics) -> Dubbed:
    take = Take(
        id="0001", line=Line(Place("row", 1), "안녕"), audio=Path("a.wav"), begin=0, samples=10,
        sample_rate=10, start=2.0, role=Role(voice="lmy"),
    )  # fmt: skip
    return Dubbed(take=take, status="converted", wave=Path("a.wav"), metrics=metrics)


def test_every_plug_point_has_an_example():
    assert {*EXAMPLES} == {
        "A vocoder", "A kind of script", "A deliverable", "A flag", "A message", "A language",
    }  # fmt: skip


def test_a_vocoder_of_another_rate_converts_a_line(tmp_path):
    sine = run("A vocoder")["Sine"]
    card = VocoderCard(kind="sine", licence="CC0", audio=AudioConfig(), model=sine.Config())
    save_model(tmp_path, {}, card)
    vocoder, loaded = load_vocoder(tmp_path)
    model, model_card = load_conversion(MODEL)
    converter = Converter(model=model, card=model_card, vocoder=vocoder, vocoder_card=loaded)
    result = converter.convert(DEMO, DEMO_TEXT, "lmy")
    assert len(result.samples) == soundfile.info(DEMO).frames
    assert result.samples.std() > 0.001
    assert vocoder(torch.zeros(1, 5, 80), torch.full((1, 5), 100.0)).shape == (1, 5 * 512)


@pytest.mark.parametrize(
    ("of_class", "forward", "message"),
    [
        ({"sample_rate": 48000}, None, r"sample_rate / hop_length must be the mel's 86\.1328"),
        (
            {},
            lambda wave: wave[:, None],
            r"must give a wave of the shape \[1, \d+\], got \[1, 1, \d+\]",
        ),
        ({}, lambda wave: wave[:, :-300], "must give a wave of the shape"),
    ],
)
def test_a_vocoder_that_breaks_its_contract_is_refused(tmp_path, of_class, forward, message):
    """Its wave would lie beside the mouths, or fail where nobody knows why."""
    sine = run("A vocoder")["Sine"]
    vocoder = sine.build(sine.Config(), AudioConfig())
    for name, value in of_class.items():
        setattr(vocoder, name, value)
    if forward:
        vocoder.register_forward_hook(lambda module, given, wave: forward(wave))
    card = VocoderCard(kind="sine", licence="CC0", audio=AudioConfig(), model=sine.Config())
    model, model_card = load_conversion(MODEL)
    with pytest.raises(CheckpointError, match=message):
        Converter(model=model, card=model_card, vocoder=vocoder, vocoder_card=card).convert(
            DEMO, DEMO_TEXT, "lmy"
        )


def test_a_script_of_another_kind_is_read(tmp_path):
    run("A kind of script")
    (tmp_path / "a.piped").write_text("하나|안녕\n둘|그래\n", encoding="utf-8")
    lines = read_script(tmp_path / "a.piped").lines
    assert [(line.character, line.text, line.no) for line in lines] == [
        ("하나", "안녕", "1"), ("둘", "그래", "2"),
    ]  # fmt: skip


def test_a_deliverable_is_written(tmp_path):
    run("A deliverable")
    spec = DeliverySpec(title="1화", date=datetime(2026, 1, 1), start_timecode=3600.0)
    deliverables.DELIVERABLES[0].write(
        Material(rows=[row()], issues=[], spec=spec, out=tmp_path), tmp_path
    )
    assert (tmp_path / "cues.txt").read_text(encoding="utf-8").endswith(" 안녕")


def test_a_flag_is_raised():
    run("A flag")
    long = row()
    short = replace(long, take=replace(long.take, samples=2))
    (flagged,) = flags.flag([short])
    assert [(f.kind, f.value) for f in flagged.flags] == [("short", 0.2)]
    assert not flags.flag([long])[0].flags


def test_a_message_is_said_in_both_languages():
    names = run("A message")
    assert "120초보다 깁니다" in names["korean"]
    assert "longer than the limit of 120 s" in names["english"]


def test_another_front_end_reads():
    run("A language")
    reading = FRONT_ENDS["ko-x-shouted"].read("가자")
    assert reading.phones[-2] == "!"
    assert np.array_equal(
        FRONT_ENDS["ko"].ids(reading.phones)[:3], FRONT_ENDS["ko-x-shouted"].ids(reading.phones)[:3]
    )
