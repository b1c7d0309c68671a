import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lhotse import CutSet
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from moksori.alignment.alignment import silences
from moksori.cli import app
from moksori.config import (
    ConversionConfig,
    CotatronTrainConfig,
    RecogniserTrainConfig,
    TrainConfig,
    VocoderTrainConfig,
    load_config,
)
from moksori.conversion.card import load_card
from moksori.conversion.checkpoint import load_conversion, load_cotatron, load_vocoder
from moksori.conversion.consents import Usage, packs_folder, revoke
from moksori.conversion.converter import Converter
from moksori.corpus.batches import LineData, LineDataset, read_speakers, training_voices
from moksori.errors import CheckpointError, ConfigError, CorpusError, OutputError, VoiceError
from moksori.models.conversion import ConversionModel
from moksori.text import SYMBOLS, tokenize
from moksori.training.begun import keep_config
from moksori.training.conversion import begin_with, train_conversion
from moksori.training.cotatron import train_cotatron
from moksori.training.recogniser import train_recogniser
from moksori.training.vocoder import train_vocoder
from moksori.weights import MODEL, RECOGNISER, VOCODERS
from moksori.writing import alone_in

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = load_config(CONFIGS / "tiny.toml", TrainConfig)
TINY_COTATRON = load_config(CONFIGS / "tiny_cotatron.toml", CotatronTrainConfig)
TINY_RECOGNISER = load_config(CONFIGS / "tiny_recogniser.toml", RecogniserTrainConfig)
TINY_VOCODER = load_config(CONFIGS / "tiny_vocoder.toml", VocoderTrainConfig)


def with_model(**changes: object) -> TrainConfig:
    """The tiny config with these keys of its model, as if the file named them."""
    sizes = {"decoder_dim": 16, "decoder_blocks": 1, "voice_dim": 4, "f0_bins": 8, **changes}
    return TINY.model_copy(update={"model": ConversionConfig(**sizes)})


def longer(epochs: int) -> TrainConfig:
    optimizer = TINY.optimizer.model_copy(update={"steps": 2 * epochs})
    return TINY.model_copy(update={"optimizer": optimizer})


def test_batches_are_padded_lines_of_the_corpus(prepared):
    names = training_voices(read_speakers(prepared, TINY.audio)["speakers"])
    data = LineData(prepared, names, TINY.audio, TINY.data, seed=1)
    batch = next(iter(data.train_dataloader()))
    b, t, n_mels = batch.mel.shape
    assert n_mels == 80
    assert t == batch.mel_lengths.max()
    assert batch.f0.shape == (b, t)
    assert b == len(batch.phones) == len(batch.voice)
    assert batch.mel_lengths.sum() * 256 / 22050 <= TINY.data.batch_seconds * 1.01
    first = batch.phones[0, : batch.phone_lengths[0]].tolist()
    assert first in [
        tokenize(text) for text in ("같이 가자.", "밥은 먹었어?", "오늘은 날씨가 좋네!")
    ]


def test_trains_exports_and_resumes(prepared, tmp_path, cut_after_one_epoch):
    """Two epochs at once, and one epoch, a cut, and the other: the same weights."""
    whole = train_conversion(longer(2), prepared, tmp_path / "whole")
    with cut_after_one_epoch():
        train_conversion(longer(2), prepared, tmp_path / "cut")
    resumed = train_conversion(longer(2), prepared, tmp_path / "cut")
    first = torch.load(tmp_path / "whole" / "last.ckpt", weights_only=True)
    second = torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)
    assert first["global_step"] == second["global_step"] == 4
    for state in ("current_model_state", "state_dict"):  # the latter is the average
        for name, weight in first[state].items():
            torch.testing.assert_close(second[state][name], weight, msg=name)
    (model, card), (other, other_card) = load_conversion(whole), load_conversion(resumed)
    assert card == other_card
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], weight, msg=name)
    assert [voice.name for voice in card.voices] == ["pfx", "pmx", "zzz"]


def test_tensorboard_shows_speed_gradients_embeddings_and_lets_lines_be_heard(prepared, tmp_path):
    train_conversion(longer(2).model_copy(update={"speak_every": 2}), prepared, tmp_path)
    shown = EventAccumulator(str(tmp_path / "events"), {"audio": 0, "images": 0})
    shown.Reload()
    tags = shown.Tags()
    assert {"train/gradient_norm", "train/frames_per_second", "lr-AdamW"} <= set(tags["scalars"])
    assert all(event.value > 0 for event in shown.Scalars("train/gradient_norm"))
    assert len(tags["audio"]) == 3  # recorded, made again, in another voice
    recorded, *made = (shown.Audio(tag) for tag in sorted(tags["audio"], key=len, reverse=True))
    assert {len(events) for events in (recorded, *made)} == {1}  # every second validation
    assert {event.length_frames for events in made for event in events} == {
        recorded[0].length_frames
    }
    assert tags["images"] == ["valid/line"]
    projector = (tmp_path / "events" / "projector_config.pbtxt").read_text()
    assert "symbols" in projector and "voices" in projector


@pytest.fixture(scope="module")
def cotatron(prepared, tmp_path_factory) -> Path:
    return train_cotatron(TINY_COTATRON, prepared, tmp_path_factory.mktemp("cotatron"))


@pytest.mark.parametrize("aligner", ["parallel", "attention"])
def test_stands_on_a_frozen_cotatron(prepared, tmp_path, cotatron, aligner):
    config = with_model(aligner=aligner)
    model, card = load_conversion(train_conversion(config, prepared, tmp_path, cotatron))
    before, _ = load_cotatron(cotatron)
    for name, weight in model.text_aligner.state_dict().items():
        torch.testing.assert_close(weight, before.state_dict()[name], msg=name)
    assert card.model.aligner == model.aligner == aligner
    assert card.model.cotatron == TINY_COTATRON.model


def test_the_text_encoder_may_go_on_learning(prepared, tmp_path, cotatron):
    config = with_model().model_copy(update={"freeze_cotatron": False})
    model, card = load_conversion(train_conversion(config, prepared, tmp_path, cotatron))
    before = load_cotatron(cotatron)[0].state_dict()
    moved = {
        name.split(".")[0]
        for name, weight in model.text_aligner.state_dict().items()
        if not torch.equal(weight, before[name]) and "running" not in name and "num_b" not in name
    }
    assert moved == {"text_encoder", "aligner"}
    assert card.model.cotatron is None  # the attention was left behind


def test_an_alignment_that_is_not_there_is_refused(prepared, tmp_path, cotatron):
    with pytest.raises(ConfigError, match="--cotatron"):
        train_conversion(with_model(aligner="attention"), prepared, tmp_path)
    alone = with_model().model_copy(update={"freeze_cotatron": False})
    with pytest.raises(ConfigError, match="--cotatron"):
        train_conversion(alone, prepared, tmp_path)
    learning = with_model(aligner="attention").model_copy(update={"freeze_cotatron": False})
    with pytest.raises(ConfigError, match="frozen"):
        train_conversion(learning, prepared, tmp_path, cotatron)
    with pytest.raises(ConfigError, match=r"model\.text_dim is 20 in the config and 16 in"):
        train_conversion(with_model(text_dim=20), prepared, tmp_path, cotatron)
    with pytest.raises(CheckpointError):
        train_conversion(with_model(), prepared, tmp_path, tmp_path)
    with pytest.raises(ConfigError, match="not for a config"):
        train_conversion(with_model(cotatron=TINY_COTATRON.model), prepared, tmp_path)


def test_a_plain_cotatron_is_aligned_by_its_attention_alone(prepared, tmp_path):
    sizes = TINY_COTATRON.model.model_copy(update={"parallel_aligner": False, "in_order": False})
    losses = TINY_COTATRON.losses.model_copy(update={"forward_sum": 0.0, "guidance": 0.0})
    plain = TINY_COTATRON.model_copy(update={"model": sizes, "losses": losses})
    cotatron = train_cotatron(plain, prepared, tmp_path / "plain")
    with pytest.raises(ConfigError, match="no parallel aligner"):
        train_conversion(with_model(), prepared, tmp_path / "one", cotatron)
    folder = train_conversion(with_model(aligner="attention"), prepared, tmp_path / "two", cotatron)
    model, _ = load_conversion(folder)
    assert model.text_aligner.aligner is None
    batch = next(iter(LineData(prepared, ["pfx"], TINY.audio, TINY.data, 1).val_dataloader()))
    assert model.second_opinion(*batch[:4]) is None
    aligned = model.align(*batch[:4])
    torch.testing.assert_close(aligned.log_alignment.exp(), aligned.alignment)


def test_licences_of_corpus_and_cotatron_both_bind(prepared, tmp_path, cotatron):
    card = json.loads((cotatron / "model.json").read_text())
    other = tmp_path / "other"
    shutil.copytree(cotatron, other)
    (other / "model.json").write_text(json.dumps(card | {"licence": "research only"}))
    _, made = load_conversion(train_conversion(with_model(), prepared, tmp_path / "run", other))
    assert made.licence == made.voices[0].licence == "none; and research only"
    assert made.commercial == "no"


def test_consents_of_the_corpus_come_into_the_card(prepared, tmp_path):
    """With what they allow; one whose consent ends is refused: its voice, and what would be learnt of it."""
    corpus = tmp_path / "corpus"
    shutil.copytree(prepared, corpus)
    about = json.loads((corpus / "speakers.json").read_text())
    names = training_voices(about["speakers"])
    record = {
        "who": "홍",
        "purpose": "1화",
        "until": "2999-01-01",
        "contact": "a",
        "uses": ["preview"],
    }
    consents = {name: record | {"who": f"홍 {name}"} for name in names}
    about |= {"licence": "ours", "commercial": "no", "consents": consents}
    (corpus / "speakers.json").write_text(json.dumps(about))
    folder = train_conversion(TINY, corpus, tmp_path / "run")
    alone = tmp_path / "alone"
    shutil.copytree(folder, alone)
    whole = json.loads((folder / "model.json").read_text())
    whole["consents"][names[0]]["until"] = "2020-01-01"
    (folder / "model.json").write_text(json.dumps(whole))
    card = load_card(folder)
    assert card.commercial == "no"
    assert {*card.consents} == {*names}
    made = Converter.from_pretrained(folder, usage=Usage("preview"))
    assert made.voice(names[1])
    with pytest.raises(VoiceError, match="consent ended on 2020-01-01"):
        made.voice(names[0])
    with pytest.raises(ConfigError, match=f"consent has ended: {names[0]};"):
        train_conversion(TINY, prepared, tmp_path / "more", start=folder)
    revoke(packs_folder(), names[1], load_card(alone).consents[names[1]])
    trainings = (
        lambda run: train_conversion(TINY, prepared, run, start=alone),
        lambda run: train_conversion(TINY, corpus, run),
        lambda run: train_cotatron(TINY_COTATRON, prepared, run, alone),
        lambda run: train_recogniser(TINY_RECOGNISER, prepared, run, alone),
        lambda run: train_vocoder(TINY_VOCODER, [corpus], run),
    )
    for number, train in enumerate(trainings):
        with pytest.raises(ConfigError, match=f"consent was revoked: {names[1]};"):
            train(tmp_path / str(number))
        assert not (tmp_path / str(number)).exists()


def test_parallel_lines_train_and_resume(prepared, tmp_path, cut_after_one_epoch):
    config = longer(2).model_copy(update={"parallel_lines": True})
    train_conversion(config, prepared, tmp_path / "whole")
    with cut_after_one_epoch():
        train_conversion(config, prepared, tmp_path / "cut")
    train_conversion(config, prepared, tmp_path / "cut")
    first, second = (
        torch.load(tmp_path / name / "last.ckpt", weights_only=True)["state_dict"]
        for name in ("whole", "cut")
    )
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, msg=name)


def test_another_config_in_the_same_run_is_refused(prepared, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "last.ckpt").touch()
    for known, problem in (
        ({"checkpoint_format": 2, "seed": 2}, "another config"),
        ({"checkpoint_format": 2, "base": "0f"}, "another model"),
        ({"seed": 1, "optimizer": {}}, "older Moksori"),
        ({"seed": 1}, "is no training's"),
        ({}, "is no training's"),
        ([1], "is no training's"),
    ):
        (run / "config.json").write_text(json.dumps(known))
        with pytest.raises(ConfigError, match=problem):
            train_conversion(TINY, prepared, run)
    (run / "config.json").write_text("hi")
    (run / "last.ckpt").unlink()  # nor is somebody's file replaced
    with pytest.raises(ConfigError, match="is no training's"):
        train_conversion(TINY, prepared, run)


def test_somebody_s_own_folder_is_not_trained_into(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds “notes\.txt” and is no training's"):
        keep_config(TINY, tmp_path, "", load_card(MODEL))
    assert not (tmp_path / "config.json").exists()


def test_two_trainings_in_one_folder_are_refused(prepared, tmp_path):
    with alone_in(tmp_path), pytest.raises(OutputError, match="another job is at work"):
        train_conversion(TINY, prepared, tmp_path)
    assert not (tmp_path / "config.json").exists()


def test_lines_that_are_too_long_are_told(prepared, tmp_path, monkeypatch):
    """Whose they are; and of whom nothing would be left, in place of a KeyError."""
    lengths = [("pfx", 20.0), ("pfx", 1.0), ("pmx", 1.0), ("zzz", 1.0), ("somebody", 20.0)]

    def read_cuts(*_):
        for speaker, seconds in lengths:
            yield SimpleNamespace(supervisions=[SimpleNamespace(speaker=speaker)], duration=seconds)

    monkeypatch.setattr("moksori.corpus.batches.read_cuts", read_cuts)
    monkeypatch.setattr(LineDataset, "line", lambda *_: None)  # they have no files
    with pytest.warns(UserWarning, match=r"1 training lines are longer .* left out: pfx \(1\)$"):
        LineData(prepared, ["pfx", "pmx", "zzz"], TINY.audio, TINY.data, seed=1).check()
    lengths.remove(("pfx", 1.0))
    message = r"all training lines of pfx are longer than data\.max_line_seconds"
    for train, config in ((train_conversion, TINY), (train_cotatron, TINY_COTATRON)):
        with pytest.raises(CorpusError, match=message):
            train(config, prepared, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_of_another_kind_is_named():
    vocoder = VOCODERS["fast"]
    for load, folder, words in (
        (load_conversion, vocoder, "is a vocoder, not a conversion model"),
        (load_cotatron, MODEL, "is a conversion model, not a Cotatron"),
        (load_vocoder, MODEL, "is a conversion model, not a vocoder"),
        (load_conversion, RECOGNISER, "is a recogniser, not a conversion model"),
    ):
        with pytest.raises(CheckpointError) as error:
            load(folder)
        assert error.value.say("en") == f"{folder}: {words}"


class _Spoil(pl.Callback):
    """Makes the weights of the second epoch no numbers; what is kept of the first is in `before`."""

    def __init__(self, run: Path) -> None:
        self.kept, self.before = (run / "model" / "model.json", run / "last.ckpt"), list[bytes]()

    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            self.before = [path.read_bytes() for path in self.kept]
            for weight in module.model.parameters():
                weight.data.fill_(torch.nan)


def test_a_training_that_diverges_keeps_the_model_before(prepared, tmp_path):
    spoil = _Spoil(tmp_path)
    with pytest.raises(ConfigError, match=r"diverged, valid/mel_l1 is nan; lower optimizer\.learn"):
        train_conversion(longer(2), prepared, tmp_path, callbacks=[spoil])
    assert [path.read_bytes() for path in spoil.kept] == spoil.before
    assert load_card(tmp_path / "model").training["valid_mel_l1"] > 0


def test_other_people_s_recordings_do_not_go_on_with_a_run(prepared, tmp_path):
    """Their voices would take others' rows of the table, and the card would say another licence."""
    card = load_card(MODEL)
    config, run = TINY, tmp_path / "run"
    keep_config(config, run, "", card)
    (run / "model").mkdir()
    about = json.loads((run / "config.json").read_text())
    del about["learnt_from"]  # begun by an older Moksori: noted as soon as it is resumed
    (run / "config.json").write_text(json.dumps(about))
    keep_config(config, run, "", card)
    keep_config(config, run, "", card)
    renamed = [card.voices[0].model_copy(update={"name": "other"}), *card.voices[1:]]
    for other in (
        card.model_copy(update={"licence": "CC0 1.0"}),
        card.model_copy(update={"voices": renamed}),
        card.model_copy(update={"voices": card.voices[:-1]}),
    ):
        with pytest.raises(ConfigError, match="begun with other speakers"):
            keep_config(config, run, "", other)


def test_a_training_that_kept_nothing_does_not_block_its_folder(tmp_path):
    card = load_card(MODEL)
    keep_config(TINY, tmp_path, "", card.model_copy(update={"voices": card.voices[:-1]}))
    for other in (card, card.model_copy(update={"licence": "CC0 1.0"})):
        keep_config(TINY, tmp_path, "", other)  # the data was prepared rightly meanwhile
    (tmp_path / "last.ckpt").touch()
    keep_config(TINY, tmp_path, "", other)
    with pytest.raises(ConfigError, match="begun with other speakers"):
        keep_config(TINY, tmp_path, "", card)


@pytest.mark.parametrize(
    "sizes",
    [
        {"decoder": "gblocks", "gblock_channels": (12, 8)},
        {"text_encoder": "tacotron", "text_dim": 16},
        {"prosody": "residual"},
        {"prosody": "none"},
    ],
    ids=str,
)
def test_other_parts_train_in_bf16_and_load(prepared, tmp_path, sizes):
    if "text_encoder" in sizes and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("an LSTM in bf16 needs a CPU that has it")
    asked = {"precision": "bf16-mixed", "mel_loss": "mse", "optimizer": longer(1).optimizer}
    config = with_model(**sizes).model_copy(update=asked)  # one epoch: the last is the best
    model, card = load_conversion(train_conversion(config, prepared, tmp_path))
    assert card.model == config.model
    saved = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    for name, weight in model.state_dict().items():  # counters and running statistics unrounded
        exact = "running" in name or "tracked" in name
        torch.testing.assert_close(
            weight,
            saved[f"model.{name}"].to(weight),
            atol=0 if exact else 1e-3,
            rtol=0 if exact else 1e-2,
        )


def test_a_resumed_run_does_not_replace_a_better_model(prepared, tmp_path):
    model = train_conversion(longer(1), prepared, tmp_path)
    card = json.loads((model / "model.json").read_text())
    card["training"]["valid_mel_l1"] = 0.0  # none will be better
    (model / "model.json").write_text(json.dumps(card))
    about = json.loads((tmp_path / "config.json").read_text())
    about["optimizer"]["steps"] = longer(2).optimizer.steps
    (tmp_path / "config.json").write_text(json.dumps(about))
    train_conversion(longer(2), prepared, tmp_path)
    assert load_card(model).training["steps"] == 2


def test_a_corpus_prepared_for_other_audio_is_refused(prepared, tmp_path):
    audio = TINY.audio.model_copy(update={"hop_length": 128})
    with pytest.raises(CorpusError, match="another hop_length than"):
        train_conversion(TINY.model_copy(update={"audio": audio}), prepared, tmp_path)


def test_a_corpus_without_short_enough_lines_is_refused(prepared, tmp_path):
    data = TINY.data.model_copy(update={"max_line_seconds": 0.1})
    with pytest.raises(CorpusError, match="lines of pfx, pmx, zzz are longer"):
        train_conversion(TINY.model_copy(update={"data": data}), prepared, tmp_path)


def test_a_folder_that_is_not_prepared_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="moksori prepare"):
        train_conversion(TINY, tmp_path, tmp_path / "run")


def test_two_processes_train_one_model(prepared, tmp_path):
    """Torchrun on the CPU: Lightning's DDP, each process with lines of its own."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
        "-m", "moksori", "train", "conversion", "configs/tiny.toml", str(prepared), str(tmp_path / "run"),
    ]  # fmt: skip
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    _, card = load_conversion(tmp_path / "run" / "model")
    assert card.training["steps"] in (2, 4)
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert state["global_step"] == 4


def test_a_fast_dev_run_keeps_nothing(prepared, tmp_path):
    config = Path(__file__).parents[2] / "configs" / "tiny.toml"
    done = CliRunner().invoke(
        app, ["train", "conversion", str(config), str(prepared), str(tmp_path / "run"), "--fast-dev-run"],
        catch_exceptions=False,
    )  # fmt: skip
    assert "nothing was kept" in done.output
    assert not (tmp_path / "run" / "model").exists()
    assert not (tmp_path / "run" / "last.ckpt").exists()


def test_a_run_begins_with_a_model(prepared, tiny_model, tmp_path):
    """Before its first step it converts as the other; a voice that the other lacks begins with the mean."""
    known, card = load_conversion(tiny_model)
    names = training_voices(read_speakers(prepared, TINY.audio)["speakers"])
    model = ConversionModel.build(TINY.model, TINY.audio, len(SYMBOLS), len(names) + 1)
    model.text_aligner.silences = silences(SYMBOLS)
    terms, base = begin_with(tiny_model, model, TINY, [*names, "new"])
    assert (terms.licence, base) == (card.licence, card.sha256)
    batch = next(iter(LineData(prepared, names, TINY.audio, TINY.data, 1).val_dataloader()))
    torch.testing.assert_close(model.eval()(batch).mel, known(batch).mel)
    torch.testing.assert_close(model.voices.weight[-1], known.voices.weight.mean(0))
    folder = train_conversion(TINY, prepared, tmp_path / "second", start=tiny_model)
    assert load_card(folder).licence == card.licence


def test_a_run_has_the_sizes_of_the_model_that_it_begins_with(prepared, tiny_model, tmp_path):
    with pytest.raises(ConfigError, match="text_dim"):
        train_conversion(with_model(decoder_dim=8), prepared, tmp_path / "second", start=tiny_model)
    with pytest.raises(ConfigError, match="exclude"):
        train_conversion(TINY, prepared, tmp_path / "fourth", cotatron=tiny_model, start=tiny_model)


def test_a_voice_s_card_tells_its_f0(prepared, tiny_model):
    """By numpy, from the prepared F0 of its training lines."""
    _, card = load_conversion(tiny_model)
    for voice in card.voices:
        ids = [c.id for c in CutSet.from_file(prepared / "cuts_train.jsonl.gz")
               if c.supervisions[0].speaker == voice.name]  # fmt: skip
        f0 = np.concatenate([np.load(prepared / "f0" / voice.name / f"{id}.npy") for id in ids])
        expected = np.quantile(f0[f0 > 0], [0.05, 0.5, 0.95])
        assert voice.f0_quantiles == pytest.approx(expected, abs=0.06)
        assert voice.energy.frames == (f0 > 0).sum()
