from pathlib import Path
from shutil import rmtree

import pytest
import soundfile
import torch
from openpyxl import Workbook

from moksori.config import OptimizerConfig, TrainConfig, load_config
from moksori.conversion.checkpoint import load_conversion
from moksori.conversion.converter import Converter
from moksori.conversion.voices import load_pack, read_consent
from moksori.corpus.readers import read_script_voice, read_voice
from moksori.errors import CorpusError, ScriptError, VoiceError
from moksori.training import enrol
from moksori.training.conversion import train_conversion
from tests.conftest import DEMO, DEMO_TEXT, TEXTS, voiced_wave

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SHORT = OptimizerConfig(
    steps=4, epoch_steps=2, learning_rate=2e-2, warmup_steps=1, weight_decay=0, average_decay=0.5
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Half a minute of one voice, a text beside each recording."""
    folder = tmp_path_factory.mktemp("hong")
    for i, text in enumerate(TEXTS * 5):
        soundfile.write(folder / f"{i}.wav", voiced_wave(2.0, f0=220, seed=i), 22050)
        (folder / f"{i}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def model(prepared, tmp_path_factory) -> Path:
    config = load_config(ROOT / "configs" / "tiny.toml", TrainConfig)
    return train_conversion(config, prepared, tmp_path_factory.mktemp("run"))


def enroll(name, lines, model, folder):
    consent = read_consent(ROOT / "examples" / "consent.toml")
    return enrol.enroll(name, lines, consent, model, folder / "work", folder / "packs", SHORT)


def test_only_what_is_the_voice_s_own_is_learnt_and_it_speaks(folder, model, tmp_path, monkeypatch):
    kept = {}
    monkeypatch.setattr(  # the folder is taken away at the end, since it knows no consent
        enrol.shutil, "rmtree",
        lambda run: kept.update(load_conversion(run / "model")[0].state_dict()) or rmtree(run),
    )  # fmt: skip
    path, report = enroll("hong", read_voice(folder, "hong"), model, tmp_path)
    weights, pack = load_pack(path)
    before, card = load_conversion(model)
    assert "decoder.blocks.0.modulate.bias" in weights
    assert "decoder.blocks.0.depthwise.conv.weight" in weights
    assert all(name.startswith(("voices.", "decoder.")) for name in weights)
    for name, weight in kept.items():
        if name in weights:
            torch.testing.assert_close(weights[name], weight)
        else:
            torch.testing.assert_close(weight, before.state_dict()[name], msg=name)
    moved = weights["voices.weight"] - before.voices.weight
    assert moved.norm(dim=1).min() > 0.01
    assert not list((tmp_path / "work").glob("run_*"))
    assert pack.model == card.sha256
    assert "by consent of 홍길동, for " in pack.voice.licence
    assert report["speakers"]["hong"]["sex"] == "female"
    made = Converter.from_pretrained(model, packs=tmp_path / "packs")
    assert made.convert(DEMO, DEMO_TEXT, "hong").samples.std() > 0
    with pytest.raises(VoiceError, match="--force"):
        enroll("hong", read_voice(folder, "hong"), model, tmp_path)


def test_two_voices_in_one_working_folder_stay_apart(folder, model, tmp_path):
    """Each is as it would be alone."""
    enroll("hong", read_voice(folder, "hong"), model, tmp_path)
    lines = read_voice(folder, "park")[::-1][:17]
    both, _ = enroll("park", lines, model, tmp_path)
    alone, _ = enroll("park", lines, model, tmp_path / "other")
    for name, weight in load_pack(alone)[0].items():
        torch.testing.assert_close(load_pack(both)[0][name], weight)


def test_it_begins_with_the_voice_that_is_nearest(model, prepared):
    """A voice of the table is nearest to itself."""
    trained, card = load_conversion(model)
    # Rows far apart: an untrained table's voices would be all alike.
    rows = 30 * torch.eye(len(card.voices), trained.voices.weight.shape[1])
    torch.manual_seed(0)
    for block in trained.decoder.blocks:
        torch.nn.init.normal_(block.modulate.weight, std=0.3)
    lines = enrol.LineData(
        prepared, ["pmx"], card.audio, enrol._DATA.model_copy(update={"batch_seconds": 8.0}), 1
    )
    target = rows[1]
    for batch in lines.val_dataloader():
        trained.voices = torch.nn.Embedding.from_pretrained(target[None])
        trained.eval()
        mel = trained(batch).mel.detach()
        lines.dataset.lines = {
            id: (phones, mel[0, : len(old)].half(), f0, row)
            for id, (phones, old, f0, row) in lines.dataset.lines.items()
        }
        break
    found = enrol.nearest_row(trained, rows, lines)
    torch.testing.assert_close(found[0], target)


def test_too_little_speech_and_taken_names_are_refused(folder, model, tmp_path):
    lines = read_voice(folder, "hong")
    with pytest.raises(CorpusError, match="only 10 s of usable speech in 5 lines"):
        enroll("hong", lines[:5], model, tmp_path)
    with pytest.raises(VoiceError, match="already"):
        enroll("pmx", read_voice(folder, "pmx"), model, tmp_path / "b")
    with pytest.raises(VoiceError, match="cannot be a voice's name"):
        enroll("a/b", lines, model, tmp_path / "c")


def test_recordings_without_a_text_are_told(folder, tmp_path):
    soundfile.write(tmp_path / "a.wav", voiced_wave(1.0), 22050)
    (line,) = read_voice(tmp_path, "hong")
    assert "no text: " in line.problem
    soundfile.write(tmp_path / "a.flac", voiced_wave(1.0), 22050)
    with pytest.raises(CorpusError, match="“a” is there twice"):
        read_voice(tmp_path, "hong")
    with pytest.raises(CorpusError, match=r"no \.wav or \.flac"):
        read_voice(tmp_path / "none", "hong")


def test_a_script_may_hold_the_texts(folder, tmp_path):
    book = Workbook()
    book.active.append(["파일", "대사"])
    for row in (("0.wav", TEXTS[0]), ("1", TEXTS[1]), ("somebody_else.wav", "안녕.")):
        book.active.append(row)
    book.save(tmp_path / "script.xlsx")
    lines = read_script_voice(tmp_path / "script.xlsx", folder, "hong")
    good = [line for line in lines if not line.problem]
    assert [(line.id, line.text) for line in good] == [("0", TEXTS[0]), ("1", TEXTS[1])]
    assert len(lines) == len(list(folder.glob("*.wav")))  # those without a row are told
    book = Workbook()
    book.active.append(["대사"])
    book.active.append(["안녕."])
    book.save(tmp_path / "bare.xlsx")
    with pytest.raises(ScriptError, match="파일"):
        read_script_voice(tmp_path / "bare.xlsx", folder, "hong")


def test_of_a_script_with_actors_only_the_voice_s_rows_are_taken(folder, tmp_path):
    book = Workbook()
    book.active.append(["파일", "성우", "대사"])
    for row in (("0.wav", "홍길동", TEXTS[0]), ("1.wav", "김철수", TEXTS[1])):
        book.active.append(row)
    book.save(tmp_path / "script.xlsx")
    lines = read_script_voice(tmp_path / "script.xlsx", folder, "hong", "홍길동")
    assert [line.id for line in lines if not line.problem] == ["0"]
    assert {line.speaker for line in lines if not line.problem} == {"hong"}
    with pytest.raises(ScriptError, match="its actors are 김철수, 홍길동"):
        read_script_voice(tmp_path / "script.xlsx", folder, "park", "박영희")
