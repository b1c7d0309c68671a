"""The exported graphs give what the models give, in ONNX Runtime, of a line other than the traced one."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from moksori.cli import app
from moksori.conversion import loaded, onnx
from moksori.conversion.consents import Consent
from moksori.conversion.converter import Converter
from moksori.conversion.loaded import LoadedModels
from moksori.conversion.onnx import export_onnx
from moksori.errors import CheckpointError, ConfigError, VoiceError
from moksori.models.aligner import alike_silences, monotonic_posterior
from moksori.models.conversion import Batch
from moksori.signal import audio, features, pitch
from moksori.weights import MODEL
from tests.conftest import DEMO, DEMO_TEXT

ort = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow
_NEAR = {"atol": 1e-4, "rtol": 1e-5}


@pytest.fixture(scope="module")
def converter() -> LoadedModels:
    return LoadedModels.from_pretrained()  # a `Converter` may multiply in bfloat16


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("onnx") / "graphs"
    done = CliRunner().invoke(app, ["export", "onnx", str(home)])
    assert done.exit_code == 0, done.output
    return home


def run(folder, name, *given: torch.Tensor) -> list[torch.Tensor]:
    session = ort.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    arrays = [one.detach().numpy() for one in given]
    found = session.run(None, dict(zip(names, arrays, strict=True)))
    return [torch.from_numpy(np.array(one)) for one in found]


def line(converter) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Phones [1, N], mel [1, T, n_mels] and F0 [1, T] of the demo."""
    config = converter.card.audio
    wave, rate = audio.read(DEMO, 60).mono, audio.read(DEMO, 60).sample_rate
    wave = audio.resample(wave, rate, config.sample_rate).astype(np.float32)
    phones = converter.front_end.ids(converter.front_end.read(DEMO_TEXT, False, None).phones)
    f0 = torch.from_numpy(pitch.f0(wave, config))
    return torch.tensor([phones]), features.log_mel(wave, config)[None], f0[None]


def test_axes_of_any_length_have_names(folder):
    """They were called s23 and 512*s26, whatever the tracing had counted to."""
    shapes = {}
    for path in sorted(folder.glob("*.onnx")):
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        for value in (*session.get_inputs(), *session.get_outputs()):
            shapes[path.stem, value.name] = value.shape
    assert shapes["aligner", "phones"] == [1, "phones"]
    assert shapes["aligner", "mel"] == [1, "frames", 80]
    assert shapes["aligner", "log_alignment"] == [1, "frames", "phones"]
    assert shapes["decoder", "converted"] == [1, "frames", 80]
    assert shapes["vocoder_high", "f0"] == [1, "frames"]
    for name in ("low", "high"):
        assert shapes[f"vocoder_{name}", "white"][1] == shapes[f"vocoder_{name}", "wave"][1]
        assert re.fullmatch(r"\d+\*frames", shapes[f"vocoder_{name}", "wave"][1])
    text = {part for shape in shapes.values() for part in shape if isinstance(part, str)}
    assert {part.split("*")[-1] for part in text} == {"phones", "frames"}


def test_a_line_goes_through_all_graphs_as_through_the_models(converter, folder):
    """Aligned, decoded twice and synthesised from both; each graph is given the graphs' own values."""
    phones, mel, f0 = line(converter)
    lengths = torch.tensor([phones.shape[1]]), torch.tensor([mel.shape[1]])
    voice = torch.tensor([3])
    batch = Batch(phones, lengths[0], mel, lengths[1], f0, voice)
    with torch.inference_mode():
        whole = converter.model(batch, None, 2)
    encoding, log_alignment = run(folder, "aligner", phones, mel)
    torch.testing.assert_close(log_alignment, whole.log_alignment, **_NEAR)
    silent = torch.isin(
        phones, torch.tensor(json.loads((folder / "onnx.json").read_text())["silences"])
    )
    alignment = monotonic_posterior(alike_silences(log_alignment, silent), *lengths)
    converted = mel
    for _ in range(2):
        (converted,) = run(folder, "decoder", alignment @ encoding, converted, f0, voice)
    torch.testing.assert_close(
        converted, whole.mel, atol=1e-3, rtol=0
    )  # three graphs one on another
    with torch.inference_mode():
        linguistic = alignment @ encoding
        alone = converter.model.decode(linguistic, batch)
    torch.testing.assert_close(
        run(folder, "decoder", linguistic, mel, f0, voice)[0], alone, **_NEAR
    )
    for name, vocoder in (
        ("vocoder_low", converter.vocoder.low),
        ("vocoder_high", converter.vocoder.high),
    ):
        samples = mel.shape[1] * vocoder.hop_length
        noise = [
            np.random.default_rng(seed).standard_normal(samples, np.float32) for seed in (0, 1)
        ]
        white = torch.from_numpy(np.stack(noise))
        levels = torch.tensor([[3.0, -2.0, -6.0]])
        with torch.inference_mode():
            wave = vocoder(converted, f0, levels)
        assert wave.abs().max() > 0.01
        # pulses add up F0 over the whole line, so that its last digit counts
        told = [levels] if vocoder.takes_treble else []
        found = run(folder, name, converted, f0, white, *told)[0]
        assert (found - wave).square().mean().sqrt() < 1e-4
        torch.testing.assert_close(found, wave, atol=1e-3, rtol=0)  # beside single pulses


def test_the_file_beside_them_tells_what_one_must_know(converter, folder):
    about = json.loads((folder / "onnx.json").read_text(encoding="utf-8"))
    assert tuple(about["symbols"]) == converter.card.symbols
    assert about["voices"][3]["name"] == converter.card.voices[3].name
    assert about["vocoders"]["vocoder_high.onnx"] == {"sample_rate": 44100, "hop_length": 512}
    assert about["crossover"] == [7000.0, 8000.0]
    assert about["commercial"] == {"model": "no", "vocoder": "no"}  # what the licences leave
    assert "no commercial" in " ".join(about["licences"].values()) or "NC" in str(about["licences"])


def test_what_is_there_is_not_replaced_unasked(tmp_path):
    (tmp_path / "aligner.onnx").write_text("another's")
    done = CliRunner().invoke(app, ["export", "onnx", str(tmp_path)])
    assert done.exit_code != 0
    assert "aligner.onnx" in str(done.exception)
    assert (tmp_path / "aligner.onnx").read_text() == "another's"


def test_a_voice_whose_consent_has_ended_is_not_exported(converter, tmp_path):
    ended = Consent(who="홍길동", purpose="x", until=date(2020, 1, 1), contact="x@y.kr")
    card = converter.card.model_copy(update={"consents": {converter.card.voices[0].name: ended}})
    other = LoadedModels(
        model=converter.model, card=card,
        vocoder=converter.vocoder, vocoder_card=converter.vocoder_card,
    )  # fmt: skip
    with pytest.raises(VoiceError, match="2020"):
        export_onnx(other, tmp_path / "graphs")
    assert not (tmp_path / "graphs").exists()


def test_a_consent_for_some_uses_is_held_to_what_the_graphs_are_for(tmp_path, monkeypatch):
    """The message asked for --purpose, which the command did not take."""
    folder, out = tmp_path / "model", tmp_path / "graphs"
    shutil.copytree(MODEL, folder)
    card = json.loads((folder / "model.json").read_text())
    consent = Consent(
        who="홍길동", purpose="x", until=date(2999, 1, 1), contact="x@y.kr", uses=["research"],
        titles=["달 토끼"],
    )  # fmt: skip
    card["consents"] = {card["voices"][0]["name"]: consent.model_dump(mode="json")}
    (folder / "model.json").write_text(json.dumps(card))
    exported = []
    monkeypatch.setattr(onnx, "_export", lambda *asked: exported.append(asked[3].name))
    asked = ["export", "onnx", str(out), "--model", str(folder), "--vocoder", "fast"]
    for more, fault in (
        ([], "--purpose"),
        (["--purpose", "preview", "--title", "달 토끼"], "preview"),
        (["--purpose", "research"], "달 토끼"),
    ):
        done = CliRunner().invoke(app, [*asked, *more])
        assert isinstance(done.exception, VoiceError), done.output
        assert fault in str(done.exception)
    assert not exported
    (tmp_path / "notes").write_text("mine")
    done = CliRunner().invoke(app, ["export", "onnx", str(tmp_path / "notes")])
    assert "is a file; name a folder" in str(done.exception)
    CliRunner().invoke(app, [*asked, "--purpose", "research", "--title", "달 토끼"])
    assert exported == ["aligner.onnx", "decoder.onnx", "vocoder.onnx"]


def test_a_converter_that_multiplies_in_bfloat16_is_refused(tmp_path, monkeypatch):
    """ONNX Runtime could not load its graphs."""
    monkeypatch.setattr(loaded, "multiplies_bfloat16", lambda: True)
    with pytest.raises(ConfigError, match=r"LoadedModels\.from_pretrained"):
        export_onnx(Converter.from_pretrained(), tmp_path / "graphs")
    assert not (tmp_path / "graphs").exists()


def test_a_model_with_a_recurrent_part_is_refused(converter, tmp_path):
    recurrent = converter.card.model.model_copy(update={"text_encoder": "tacotron"})
    other = LoadedModels(
        model=converter.model, card=converter.card.model_copy(update={"model": recurrent}),
        vocoder=converter.vocoder, vocoder_card=converter.vocoder_card,
    )  # fmt: skip
    with pytest.raises(CheckpointError, match="recurrent"):
        export_onnx(other, tmp_path)
    assert not [*tmp_path.iterdir()]
