"""`--device`: named once, it reaches the models of whoever converts."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from moksori.cli import app
from moksori.conversion.converter import Converter
from moksori.conversion.loaded import find_device
from moksori.dubbing.request import JobFile
from moksori.dubbing.task import Setup
from moksori.errors import ConfigError
from tests.conftest import DEMO, DEMO_TEXT


@pytest.fixture
def two_cards(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:1"])
def test_what_is_there_is_found(two_cards, name):
    assert find_device(name) == torch.device(name)


@pytest.mark.parametrize("name", ["cuda:2", "cuda:x", "cuda:-1", "tpu", "", "cpu:1"])
def test_what_is_not_there_is_refused(two_cards, name):
    with pytest.raises(ConfigError, match="2 graphics cards") as raised:
        find_device(name)
    assert f"“{name}”" in raised.value.say("ko")


def test_a_job_s_workers_are_given_it(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(Converter, "from_pretrained", lambda *args: given.append(args))
    files = {name: tmp_path / name for name in ("script", "audio", "cast")}
    JobFile(device="cuda:1", **files).request().setup.converter()
    Setup().converter()
    assert [args[-1] for args in given] == ["cuda:1", "cpu"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
@pytest.mark.parametrize("command", ["convert", "evaluate"])
def test_commands_pass_it_on(tmp_path, command):
    if command == "evaluate":
        pytest.importorskip("faster_whisper")
        pytest.importorskip("resemblyzer")
        (tmp_path / "lines.csv").write_text(f"recording,text,voice\n{DEMO},{DEMO_TEXT},lmy\n")
        asked = ["evaluate", tmp_path / "lines.csv"]
    else:
        asked = ["convert", DEMO, "--text", DEMO_TEXT, "--voice", "lmy"]
    asked += ["-o", tmp_path / "out.wav", "--device", "cuda"]
    raised = CliRunner().invoke(app, [*map(str, asked)]).exception
    assert isinstance(raised, ConfigError) and "“cuda”" in str(raised)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card")
def test_a_graphics_card_converts_as_the_processor_does():
    by = {name: Converter.from_pretrained(device=name) for name in ("cpu", "cuda")}
    made = {name: one.convert(DEMO, DEMO_TEXT, "lmy") for name, one in by.items()}
    cpu, cuda = made["cpu"], made["cuda"]
    np.testing.assert_allclose(cuda.mel, cpu.mel, atol=5e-3)
    assert cuda.alignment.confidence == pytest.approx(cpu.alignment.confidence, abs=1e-3)
    error = np.sqrt(np.mean((cuda.samples - cpu.samples) ** 2) / np.mean(cpu.samples**2))
    assert error < 0.02
