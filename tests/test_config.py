from pathlib import Path

import pytest
import torch

from moksori.config import (
    AudioConfig,
    CotatronTrainConfig,
    RecogniserTrainConfig,
    TrainConfig,
    VocoderTrainConfig,
    load_config,
)
from moksori.errors import ConfigError
from moksori.models.conversion import Batch, ConversionModel
from moksori.models.cotatron import Cotatron

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_config_is_valid(path):
    kinds = {
        "conversion": TrainConfig,
        "vocoder": VocoderTrainConfig,
        "cotatron": CotatronTrainConfig,
        "recogniser": RecogniserTrainConfig,
    }
    kinds |= {"tiny": TrainConfig, "paper": CotatronTrainConfig}
    load_config(path, kinds[path.stem.rpartition("_")[2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[optimizer]\nlerning_rate = 1", "unknown key “optimizer.lerning_rate”"),
        ("[model]\ntext_dropout = 1.5", "“model.text_dropout”: must be below 1, got 1.5"),
        ("[optimizer]\nsteps = 'many'", "“optimizer.steps”"),
        ("[optimizer]\nsteps = 150\nepoch_steps = 100", "multiple of epoch_steps"),
        ("steps = = 3", "not valid TOML"),
    ],
)
def test_faults_name_the_file_the_key_and_the_value(tmp_path, text, message):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_config(path, TrainConfig)
    assert str(path) in str(error.value)


SIZES = [
    (kind, part, name, field)
    for kind in (TrainConfig, CotatronTrainConfig, RecogniserTrainConfig, VocoderTrainConfig)
    for part in ("model", "audio")
    for name, field in kind.model_fields[part].annotation.model_fields.items()
    if "int" in str(field.annotation)
]


@pytest.mark.parametrize(
    ("kind", "part", "name", "field"),
    SIZES,
    ids=[f"{kind.__name__} {part}.{name}" for kind, part, name, _ in SIZES],
)
def test_a_size_that_no_machine_holds_is_told(tmp_path, kind, part, name, field):
    """PyTorch's own words named neither the key nor the file, and came as a traceback."""
    path = tmp_path / "a.toml"
    for size in (10**12, 10**30, 0, -1):
        value = [size] * 2 if "tuple" in str(field.annotation) else size
        path.write_text(f"[{part}]\n{name} = {value}")
        with pytest.raises(ConfigError) as error:
            load_config(path, kind)
        assert str(path) in str(error.value) and f"“{part}.{name}" in str(error.value)
        assert "이하여야" in error.value.say("ko") or size <= 0
    path.write_text(f"[{part}]\n{name} = {[16] * 65}")
    with pytest.raises(ConfigError, match=name):
        load_config(path, kind)


FAULTS = [
    (TrainConfig, "model = 3", "“model”: 표(예: [model])여야 합니다"),
    (TrainConfig, "[model]\ntext_kernels = [4]", "“model.text_kernels.0”: 합성곱이 길이를 지키려면 홀수"),
    (TrainConfig, "[model]\ntext_encoder = 'tacotron'\ntext_dim = 15", "“model”: text_dim = 15"),
    (TrainConfig, "[model]\ngblock_channels = [8]", "2개 이상 적어야"),
    (TrainConfig, "[model]\naligner = 'x'", "'parallel', 'attention' 가운데 하나여야"),
    (TrainConfig, "[optimizer]\nsteps = 150", "“optimizer”: steps = 150: epoch_steps = 100의 배수여야"),
    (TrainConfig, "[optimizer]\ndecay_start = 5000", "decay_start = 5000: steps = 5000보다 작아야"),
    (TrainConfig, "[optimizer]\nlearning_rate = nan", "“optimizer.learning_rate”: 0보다 커야"),
    (TrainConfig, "seed = -1", "“seed”: 0 이상이어야"),
    (TrainConfig, "seed = 1_000_000_000", "“seed”: 8388608보다 작아야"),
    (CotatronTrainConfig, "[model]\nparallel_aligner = false", "losses.forward_sum과 losses.guidance가 0"),
    (CotatronTrainConfig, "[model]\nspeaker_channels = []", "“model.speaker_channels”: 1개 이상 적어야"),
    (VocoderTrainConfig, "[losses]\nwindows = []", "“losses.windows”: 1개 이상 적어야"),
    (VocoderTrainConfig, "[losses]\nwindows = [3]", "“losses.windows.0”: 4 이상이어야"),
    (VocoderTrainConfig, "shares = []", "“shares”: 1개 이상 적어야"),
    (VocoderTrainConfig, "shares = [0.0]", "적어도 하나는 0보다 커야"),
    (VocoderTrainConfig, "[model]\nsample_rate = 32000", "model.sample_rate, 32000: 22050 Hz에서 256샘플"),
    (VocoderTrainConfig, "[model]\nfloor = 20000.0", "model.floor, 20000 Hz: 그 위로 합성할 것이"),
    (VocoderTrainConfig, "[model]\nnoise_window = 400", "model.noise_window, 400: 8의 배수"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "korean"), FAULTS)
def test_faults_are_said_in_korean_too(tmp_path, kind, text, korean):
    path = tmp_path / "설정.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(path, kind)
    said = error.value.say("ko")
    assert said.startswith(f"{path}: ")
    assert korean in said
    assert "Value error" not in said
    assert "{" not in said  # no table as Python writes it


@pytest.mark.parametrize("window", [400, 4, 4096])
def test_a_vocoder_s_windows_must_fit_the_mel_frames(tmp_path, window):
    path = tmp_path / "a.toml"
    path.write_text(f"[model]\nnoise_window = {window}")
    with pytest.raises(
        ConfigError, match=rf"model\.noise_window, {window}, must be a multiple of 8"
    ):
        load_config(path, VocoderTrainConfig)


def test_a_missing_config_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "no.toml", TrainConfig)


def test_the_paper_s_sizes_make_a_mel():
    """Cotatron as in its paper, and the conversion model upon it, on one short line."""
    torch.manual_seed(0)
    sizes = load_config(CONFIGS / "paper.toml", CotatronTrainConfig).model
    cotatron = Cotatron.build(sizes, AudioConfig(), 60, 5)
    assert 12e6 < sum(p.numel() for p in cotatron.parameters()) < 22e6
    above = load_config(CONFIGS / "paper_conversion.toml", TrainConfig).model
    model = ConversionModel.build(
        above.model_copy(update={"cotatron": sizes}), AudioConfig(), 60, 5
    )
    batch = Batch(
        phones=torch.randint(1, 60, (2, 9)), phone_lengths=torch.tensor([9, 7]),
        mel=torch.randn(2, 31, 80) - 5, mel_lengths=torch.tensor([31, 22]),
        f0=torch.zeros(2, 31), voice=torch.tensor([0, 4]),
    )  # fmt: skip
    assert model(batch).mel.shape == (2, 31, 80)
    assert cotatron(*batch[:4]).decoded.mel_after.shape == (2, 31, 80)
