import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from moksori.config import VocoderTrainConfig, load_config
from moksori.conversion.checkpoint import load_conversion, load_vocoder
from moksori.conversion.converter import Converter
from moksori.corpus.recordings import _number, prepare_recordings, read_lists
from moksori.corpus.segments import SegmentData, SegmentDataset
from moksori.corpus.sources import Source
from moksori.errors import CheckpointError, ConfigError, CorpusError, Notice, OutputError
from moksori.messages import Message
from moksori.models.vocoder.source_filter import SourceFilter
from moksori.training.discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    stft_loss,
)
from moksori.training.vocoder import VocoderTraining, train_vocoder
from moksori.writing import alone_in
from tests.conftest import DEMO, DEMO_TEXT, voiced_wave

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[2] / "configs"
TINY = load_config(CONFIGS / "tiny_vocoder.toml", VocoderTrainConfig)
RATE = 44100


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """Six synthetic recordings at 48 kHz, some with nothing above 12 kHz, prepared; no transcripts."""
    folder = tmp_path_factory.mktemp("recordings")
    rows = ["file,set,split"]
    for number in range(6):
        rate = 24000 if number % 2 else 48000
        wave = voiced_wave(2.0, rate=rate) + 0.01 * np.random.default_rng(number).standard_normal(
            2 * rate
        )
        soundfile.write(folder / f"{number}.wav", 0.5 * wave, rate)
        rows.append(f"{number}.wav,{'narrow' if number % 2 else 'wide'},train")
    rows.append("0.wav,other,train")
    (folder / "list.csv").write_text("\n".join(rows))
    licences = {"wide": "CC0 1.0", "narrow": "Apache-2.0"}
    sources = read_lists([folder / "list.csv"], licences, [0.8])
    prepare_recordings(sources, folder / "data", licences, sample_rate=RATE, jobs=1)
    return folder / "data"


def test_recordings_are_prepared_at_their_band_and_speed(recordings):
    rows = [json.loads(row) for row in (recordings / "recordings.jsonl").read_text().splitlines()]
    bands = {(row["set"], row["speed"]): row["band"] for row in rows if row["split"] == "train"}
    assert bands["wide", 1.0] > 20000
    assert bands["narrow", 1.0] == pytest.approx(12000, rel=0.08)
    assert bands["narrow", 0.8] == pytest.approx(9600, rel=0.08)
    assert {row["set"] for row in rows} == {"wide", "narrow"}  # a set without a licence is left out
    slow = next(row for row in rows if row["speed"] == 0.8)
    own = next(row for row in rows if row["id"] == slow["id"].removesuffix("_x0.8"))
    assert slow["samples"] == pytest.approx(own["samples"] / 0.8, rel=0.03)
    f0 = [np.load(recordings / "f0" / r["set"] / f"{r['id']}.npy") for r in (slow, own)]
    assert np.median(f0[0][f0[0] > 0]) == pytest.approx(0.8 * np.median(f0[1][f0[1] > 0]), rel=0.02)


def test_lists_that_cannot_be_used_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("file,split\n")
    with pytest.raises(CorpusError, match="columns file, set and split"):
        read_lists([tmp_path / "a.csv"], {"x": "CC0"}, [])
    (tmp_path / "a.csv").write_text("file,set,split\nnot.wav,x,train\n")
    with pytest.raises(CorpusError, match=r"line 2: no such file “not\.wav”"):
        read_lists([tmp_path / "a.csv"], {"x": "CC0"}, [])
    with pytest.raises(CorpusError, match="of the set “y”"):
        read_lists([tmp_path / "a.csv"], {"y": "CC0"}, [])


def listed(folder: Path, names: list[str], speeds: tuple[float, ...] = ()):
    """A list of recordings of the set x, made where they are not there yet."""
    for number, name in enumerate(names):
        if not (folder / name).exists():
            soundfile.write(folder / name, voiced_wave(1.5, rate=RATE, seed=number), RATE)
    rows = [f"{name},x,train" for name in names]
    (folder / "list.csv").write_text("\n".join(["file,set,split", *rows]))
    return read_lists([folder / "list.csv"], {"x": "CC0"}, speeds)


def test_recordings_of_one_name_stay_two(tmp_path):
    """Of two sets both are prepared; within a set one would take the other's place."""
    for number, set in enumerate(("one", "two")):
        home = tmp_path / set / "spk"
        home.mkdir(parents=True)
        wave = voiced_wave(1.0 + 0.5 * number, rate=44100)
        soundfile.write(home / "0.wav", wave, 44100)
        (tmp_path / set / "list.csv").write_text(f"file,set,split\nspk/0.wav,{set},train\n")
    licences = {"one": "CC0", "two": "CC0"}
    sources = read_lists([tmp_path / set / "list.csv" for set in licences], licences, [])
    with alone_in(tmp_path / "data"), pytest.raises(OutputError, match="another job"):
        prepare_recordings(sources, tmp_path / "data", licences, sample_rate=44100, jobs=1)
    half_written = tmp_path / "data" / "audio" / "one" / ".spk_0.part.flac"
    for _ in range(2):  # also when they are there already, and one was killed in between
        rows = prepare_recordings(sources, tmp_path / "data", licences, sample_rate=44100, jobs=1)
        assert [row.set for row in rows] == ["one", "two"]
        assert rows[1].samples > 1.3 * rows[0].samples
        assert not half_written.exists()
        half_written.touch()
    both = tmp_path / "one" / "spk_0.wav"
    both.write_bytes((tmp_path / "one" / "spk" / "0.wav").read_bytes())
    table = tmp_path / "one" / "list.csv"
    with table.open("a") as file:
        file.write("spk_0.wav,one,train\nspk/0.wav,one,train\n")
    with pytest.raises(CorpusError) as error:
        read_lists([table], licences, [])
    for row, name in ((3, "spk_0.wav"), (4, "spk/0.wav")):  # all at once, with the row of the first
        same = f"“{name}” would have the same name as {tmp_path}/one/spk/0.wav ({table}, line 2)"
        assert f"line {row}: {same}" in error.value.say("en")
    with pytest.raises(CorpusError, match=r"line 2: .* line 2"):
        read_lists([tmp_path / "two" / "list.csv"] * 2, licences, [])


def test_what_cannot_be_used_is_not_held_out(tmp_path):
    """Of several recordings the first by hash is too short: another is held out, at no speed learnt."""
    names = [f"{number}.wav" for number in range(3)]
    sources = listed(tmp_path, names)
    first = min(sources, key=lambda s: _number(s.prepared.id)).path
    soundfile.write(first, voiced_wave(0.3, rate=RATE), RATE)
    rows = prepare_recordings(
        listed(tmp_path, names, (0.8,)), tmp_path / "data", {"x": "CC0"}, sample_rate=RATE, jobs=1
    )
    used = [row for row in rows if not row.problem]
    [held] = [row.id for row in used if row.split == "valid"]
    assert [row.split for row in used if row.id.startswith(held)] == ["valid"]
    assert len([row for row in used if row.split == "train"]) == 2  # as recorded, and slower
    train_vocoder(TINY, [tmp_path / "data"], tmp_path / "run")
    prepare_recordings(
        listed(tmp_path, [held + ".wav"]), tmp_path / "one", {"x": "CC0"}, sample_rate=RATE, jobs=1
    )
    with pytest.raises(CorpusError, match="no recordings of the split valid"):
        train_vocoder(TINY, [tmp_path / "one"], tmp_path / "other")
    assert not (tmp_path / "other" / "model").exists()


def test_trains_exports_and_resumes(recordings, tmp_path, cut_after_one_epoch):
    """Two epochs at once, and one epoch, a cut, and the other: the same weights on both sides."""
    whole = train_vocoder(TINY, [recordings], tmp_path / "whole")
    with cut_after_one_epoch():
        train_vocoder(TINY, [recordings], tmp_path / "cut")
    train_vocoder(TINY, [recordings], tmp_path / "cut")
    first = torch.load(tmp_path / "whole" / "last.ckpt", weights_only=True)
    second = torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)
    assert any(name.startswith("discriminators.") for name in first["current_model_state"])
    for name, weight in first["current_model_state"].items():
        torch.testing.assert_close(second["current_model_state"][name], weight, msg=name)
    vocoder, card = load_vocoder(whole)
    assert card.trained_on == {"wide": "CC0 1.0", "narrow": "Apache-2.0"}
    assert card.licence == "CC0 1.0; and Apache-2.0"
    assert (vocoder.sample_rate, vocoder.hop_length) == (RATE, 512)
    converted = Converter.from_pretrained(vocoder=whole).convert(DEMO, DEMO_TEXT, "lmy")
    assert converted.samples.std() > 0
    assert converted.samples.shape[0] == soundfile.info(DEMO).frames


def test_begins_with_another_vocoder_and_its_discriminators(recordings, tmp_path):
    """Nothing is learnt in the second run, so what it holds at its end is what it began with."""
    first = train_vocoder(TINY, [recordings], tmp_path / "first")
    optimizer = {"learning_rate": 1e-12, "weight_decay": 0.0}
    still = TINY.model_copy(update={"optimizer": TINY.optimizer.model_copy(update=optimizer)})
    again = train_vocoder(still, [recordings], tmp_path / "again", start=first)
    for name, weight in load_vocoder(first)[0].state_dict().items():
        torch.testing.assert_close(load_vocoder(again)[0].state_dict()[name], weight, msg=name)
    states = [
        torch.load(tmp_path / run / "last.ckpt", weights_only=True)["current_model_state"]
        for run in ("first", "again")
    ]
    for name in (name for name in states[0] if name.startswith("discriminators.")):
        torch.testing.assert_close(states[1][name], states[0][name], msg=name)
    others = {"losses": TINY.losses.model_copy(update={"discriminator_windows": (256,)})}
    changed = still.model_copy(update=others)
    with pytest.warns(UserWarning, match="new ones begin"):
        train_vocoder(changed, [recordings], tmp_path / "others", start=first)
    (tmp_path / "first" / "last.ckpt").write_bytes(b"spoilt")
    with pytest.raises(CheckpointError, match=r"last\.ckpt: .*move it away"):
        train_vocoder(still, [recordings], tmp_path / "spoilt", start=first)


def licensed(data: Path, folder: Path, licence: str) -> Path:
    """A copy of a prepared folder, under another licence."""
    shutil.copytree(data, folder)
    about = json.loads((folder / "recordings.json").read_text())
    about["licences"] = dict.fromkeys(about["licences"], licence)
    (folder / "recordings.json").write_text(json.dumps(about))
    return folder


def test_no_training_loses_a_licence(recordings, prepared, tiny_model, tmp_path):
    """Neither of sets or folders of one name, nor of what a run began with."""
    not_free = licensed(recordings, tmp_path / "not_free", "CC BY-NC-SA 4.0")
    free = licensed(recordings, tmp_path / "free", "CC0 1.0")
    once = train_vocoder(TINY, [not_free, free], tmp_path / "once")
    again = train_vocoder(TINY, [free], tmp_path / "again", start=once)
    for run in (once, again):
        card = load_vocoder(run)[1]
        assert {*card.licence.split("; and ")} == {"CC0 1.0", "CC BY-NC-SA 4.0"}
        assert card.trained_on == dict.fromkeys(("wide", "narrow"), "CC BY-NC-SA 4.0; and CC0 1.0")
        assert card.commercial == "no"
    homes = [tmp_path / name / "voice" for name in "ab"]
    for home, licence in zip(homes, ("CC BY-NC-SA 4.0", "CC0 1.0"), strict=True):
        shutil.copytree(prepared, home)
        about = json.loads((home / "speakers.json").read_text())
        about |= {"licence": licence, "commercial": "yes" if licence == "CC0 1.0" else "no"}
        (home / "speakers.json").write_text(json.dumps(about))
    card = load_vocoder(train_vocoder(TINY, homes, tmp_path / "homes"))[1]
    assert card.trained_on == {"voice": "CC BY-NC-SA 4.0; and CC0 1.0"}
    assert card.commercial == "no"
    with pytest.warns(Notice, match="no folder has lines of this model's voices"):
        made = train_vocoder(TINY, [free], tmp_path / "made", model=tiny_model)
    learnt = load_vocoder(train_vocoder(TINY, [free], tmp_path / "on", start=made))[1]
    assert (learnt.licence, learnt.commercial) == ("CC0 1.0; and none", "unknown")


def test_learns_from_recordings_and_a_conversion_model_s_mels_together(
    recordings, prepared, tiny_model, tmp_path
):
    loaded, card = load_conversion(tiny_model)
    source = Source(prepared, "train", TINY, loaded, [voice.name for voice in card.voices])
    own = source.load(source.items[0])
    assert own.gta is not None
    assert own.gta.shape == own.mel.shape
    assert not torch.equal(own.gta, own.mel)
    again = Source(prepared, "train", TINY, loaded, [voice.name for voice in card.voices])
    for item in source.items[:4]:  # some with dropout, which is the same each time
        assert torch.equal(again.load(item).gta, source.load(item).gta)
    assert not loaded.decoder.training
    assert own.band <= 11025
    assert len(own.wave) == len(own.mel) * 512  # raised to the vocoder's rate
    run = train_vocoder(TINY, [recordings, prepared], tmp_path / "run", model=tiny_model)
    assert len(load_vocoder(run)[1].trained_on) == 3
    with pytest.raises(ConfigError, match="another model"):
        train_vocoder(TINY, [recordings, prepared], tmp_path / "run")


def test_gta_mels_go_through_another_voice_and_back(prepared, tiny_model, monkeypatch):
    """As in a conversion, whose source is somebody else; at last twice in the line's own voice."""
    loaded, card = load_conversion(tiny_model)
    names, asked = [voice.name for voice in card.voices], []
    decode = loaded.decode

    def watched(linguistic, batch):
        asked.append(int(batch.voice))
        return decode(linguistic, batch)

    monkeypatch.setattr(loaded, "decode", watched)
    source = Source(prepared, "train", TINY, loaded, names)
    for item in source.items:
        asked.clear()
        assert source.load(item).gta is not None
        own = names.index(item.cut.supervisions[0].speaker)
        assert asked[0] != own
        assert asked[1:] == [own, own]


def test_shares_are_one_for_each_folder(recordings, tmp_path):
    config = TINY.model_copy(update={"shares": (0.3, 0.7)})
    with pytest.raises(ConfigError, match="2 numbers, and 1 folders"):
        train_vocoder(config, [recordings], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_segments_are_of_the_same_place_in_mel_f0_and_wave(recordings):
    """Each frame and its samples get the frame's number."""
    source = Source(recordings, "train", TINY)
    for item in source.items:
        frames = torch.arange(len(source.load(item).mel)).float()
        source.loaded[item.id] = source.load(item)._replace(
            mel=frames[:, None].expand(-1, 80), f0=frames,
            wave=frames.repeat_interleave(512).to(torch.int16),
        )  # fmt: skip
    dataset = SegmentDataset([source], TINY)
    batch = dataset[3]
    assert batch.mel.shape == (TINY.segments, TINY.segment_frames, 80)
    torch.testing.assert_close(batch.mel[..., 0], batch.f0)
    torch.testing.assert_close(batch.wave * 2**15, batch.f0.repeat_interleave(512, 1))
    again = dataset[3]
    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True))
    assert not torch.equal(dataset[4].f0, batch.f0)


def test_folders_of_other_settings_are_refused(recordings):
    other = TINY.model_copy(update={"model": TINY.model.model_copy(update={"sample_rate": 22050})})
    with pytest.raises(CorpusError, match=r"prepared at 44100 Hz.*--sample-rate"):
        SegmentData([recordings], other).train_dataloader()


def test_each_side_s_gradients_reach_its_own_weights_alone():
    training = VocoderTraining(SourceFilter(TINY.model, TINY.audio), TINY)
    real, band = torch.randn(2, 4096), torch.full((2,), 20000.0)
    synthesised = torch.randn(2, 4096, requires_grad=True)
    losses = training._compete(synthesised, real, band)
    (losses["generator"] + losses["feature_matching"]).backward()
    assert synthesised.grad.abs().sum() > 0
    assert all(p.grad is None for p in training.discriminators.parameters())
    synthesised.grad = None
    training._compete(synthesised, real, band)["discriminator"].backward()
    assert synthesised.grad is None
    assert all(p.grad is not None for p in training.discriminators.parameters())


def test_what_lies_above_the_band_changes_no_loss():
    """A tone at 15 kHz in one of the waves: counted with a band of 20 kHz, not with one of 10."""
    wave = torch.randn(2, 8192)
    tone = torch.sin(2 * torch.pi * 15000 * torch.arange(8192) / RATE) * torch.hann_window(8192)
    training = VocoderTraining(SourceFilter(TINY.model, TINY.audio), TINY)
    for band, changes in ((10000.0, False), (20000.0, True)):
        bands = torch.full((2,), band)
        loss = stft_loss(wave + tone, wave, (512, 1024), bands, RATE)
        assert (float(loss) > 1e-3) == changes
        judged = [training.discriminators(x, bands)[0][-1] for x in (wave, wave + tone)]
        difference = float((judged[0] - judged[1]).abs().max())
        assert (difference > 1e-3) == changes


def test_what_lies_below_the_floor_changes_no_loss():
    """A tone at 2 kHz: counted by a vocoder of the whole band, not by one from 6.5 kHz on."""
    wave, bands = torch.randn(2, 8192), torch.full((2,), 20000.0)
    tone = torch.sin(2 * torch.pi * 2000 * torch.arange(8192) / RATE) * torch.hann_window(8192)
    for floor, changes in ((6500.0, False), (0.0, True)):
        loss = stft_loss(wave + tone, wave, (512, 1024), bands, RATE, floor)
        assert (float(loss) > 1e-3) == changes
        discriminators = Discriminators((512,), 4, RATE, floor)
        judged = [discriminators(x, bands)[0][-1] for x in (wave, wave + tone)]
        difference = float((judged[0] - judged[1]).abs().max())
        assert (difference > 1e-3) == changes
    synthesised = torch.randn(2, 8192, requires_grad=True)  # nothing held: no loss, and no NaN
    nothing = stft_loss(synthesised, wave, (512, 1024), torch.full((2,), 4000.0), RATE, 6500.0)
    nothing.backward()
    assert float(nothing) == 0
    assert (synthesised.grad == 0).all()


def test_losses_of_known_cases():
    wave, band = torch.randn(2, 4096), torch.full((2,), 22050.0)
    assert stft_loss(wave, wave, (256, 512), band, RATE) == pytest.approx(0, abs=1e-6)
    # Twice as loud: convergence ‖2a − a‖ / ‖a‖ = 1, and log 2 in each bin.
    assert stft_loss(2 * wave, wave, (256,), band, RATE) == pytest.approx(1 + 0.6931, abs=1e-3)
    right, wrong = [[torch.ones(3)]], [[torch.zeros(3)]]
    assert discriminator_loss(right, wrong) == 0
    assert discriminator_loss(wrong, right) == 2
    features = [[torch.ones(3), torch.zeros(1)]]
    assert feature_matching_loss(features, features) == 0
    other = [[torch.full((3,), 1.5), torch.zeros(1)]]
    assert feature_matching_loss(features, other) == pytest.approx(0.5)


def test_why_a_recording_is_not_used_is_kept_in_both_languages(tmp_path):
    soundfile.write(tmp_path / "short.wav", voiced_wave(0.3, rate=RATE), RATE)
    (tmp_path / "broken.wav").write_text("no sound")
    sources = listed(tmp_path, ["short.wav", "broken.wav"])
    rows = prepare_recordings(sources, tmp_path / "data", {"x": "CC0"}, sample_rate=RATE, jobs=1)
    short, broken = (Message.load(row.problem).say("ko") for row in rows)
    assert "초로 너무 짧습니다. 0.75초에서 30초까지" in short
    assert "읽을 수 없는 오디오 파일" in broken
