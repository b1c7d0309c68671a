import json
import os

import pytest
import torch

from moksori.config import AudioConfig, SourceFilterConfig
from moksori.conversion.card import ConversionCard, VocoderCard, Voice, load_card
from moksori.conversion.checkpoint import load_conversion, load_vocoder, save_model
from moksori.errors import CheckpointError
from moksori.models.conversion import ConversionModel
from moksori.text import SYMBOLS
from tests.models.test_conversion import SMALL, random_batch


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    model = ConversionModel.build(SMALL, AudioConfig(), len(SYMBOLS), 3)
    voices = [
        Voice(name=name, sex="female", minutes=1, licence="none", log_f0_mean=5.3)
        for name in ("가", "나", "다")
    ]
    card = ConversionCard(
        licence="none", audio=AudioConfig(), symbols=SYMBOLS, model=SMALL, voices=voices
    )
    save_model(tmp_path / "model", model.state_dict(), card)
    return tmp_path / "model"


def test_round_trip_gives_the_same_model(folder):
    model, card = load_conversion(folder)
    torch.manual_seed(0)
    original = ConversionModel.build(SMALL, AudioConfig(), len(SYMBOLS), 3).eval()
    for name, weight in original.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], weight.half().float(), msg=name)
    assert [voice.name for voice in card.voices] == ["가", "나", "다"]
    assert not model.training
    batch = random_batch([(5, 20)])
    torch.testing.assert_close(model(batch).mel, original(batch).mel, atol=0.02, rtol=0.02)
    assert load_card(folder) == card


def edit(folder, **changes):
    card = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**card, **changes}))


def damage_weights(folder):
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-5] ^= 1
    (folder / "weights.safetensors").write_bytes(content)


def card_of(folder):
    return json.loads((folder / "model.json").read_text())


def audio(folder):
    return card_of(folder)["audio"]


def voice(folder):
    return card_of(folder)["voices"][0]


def resize(folder, **sizes):
    """Another size in the card, the weights as they are."""
    edit(folder, model={**card_of(folder)["model"], **sizes})


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def replace_weight(folder, value):
    """A model whose checksum is right and whose weights are no numbers."""
    model, card = load_conversion(folder)
    weights = model.state_dict()
    weights["voices.weight"][0, 0] = value
    save_model(folder, weights, card)


def make_pickle(folder):
    (folder / "model.json").unlink()
    torch.save({"a": 1}, folder / "model.pt")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage_weights, "checksum"),
        (lambda f: (f / "weights.safetensors").unlink(), "no such file"),
        (lambda f: (f / "model.json").write_text("{"), "damaged"),
        (
            lambda f: edit(f, format=1),
            "format 1 is of F0 by another tracker; train the model again",
        ),
        (lambda f: edit(f, format=99), "newer"),
        (lambda f: edit(f, format=99, unheard_of=1), "newer"),
        (lambda f: edit(f, symbols=["a", "b"]), "other phones"),
        (lambda f: edit(f, kind="source-filter"), "is a vocoder, not a conversion model"),
        (lambda f: edit(f, surprise=1), "unknown key “surprise”"),
        (lambda f: edit(f, voices=[]), "do not fit"),
        (make_pickle, "is a pickle"),
        (lambda f: (f / "model.json").write_text("[" * 200_000), "damaged"),
        (lambda f: (f / "model.json").write_text('{"a":' * 500 + "1" + "}" * 500), "nested"),
        (lambda f: (f / "model.json").write_text('{"format": ' + "9" * 5000 + "}"), "damaged"),
        (lambda f: (f / "model.json").write_text('{"format": 1e999}'), "“format” is inf"),
        (lambda f: (f / "model.json").write_bytes(b" " * 5_000_000), "5000000 bytes"),
        (lambda f: resize(f, decoder_dim=10**9), "“decoder_dim” is 1000000000"),
        (lambda f: resize(f, decoder_blocks=100_000), "“decoder_blocks” is 100000"),
        (lambda f: resize(f, text_kernels=[3] * 100_000), "has 100000 sizes"),
        (lambda f: resize(f, decoder_dim=2**18), "decoder_dim.* at most 4096"),
        (lambda f: resize(f, decoder_dim=2**12), "do not fit: .* and should be .*4096"),
        (lambda f: resize(f, decoder_expansion=64), "do not fit"),
        (lambda f: edit(f, audio={**audio(f), "n_mels": 2**19}), "at most 1024"),
        (lambda f: edit(f, voices=[{**voice(f), "log_f0_mean": 1e9}]), "log_f0_mean"),
        (lambda f: pipe(f / "weights.safetensors"), "not an ordinary file"),
        (lambda f: replace_weight(f, float("nan")), "holds no numbers"),
        (lambda f: replace_weight(f, float("inf")), "holds no numbers"),
    ],
)
def test_spoiled_folders_are_refused(folder, spoil, message):
    spoil(folder)
    with pytest.raises(CheckpointError, match=message) as error:
        load_conversion(folder)
    assert str(folder) in str(error.value)


def test_a_pickle_file_is_refused_without_opening_it(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"not even a pickle")
    with pytest.raises(CheckpointError, match="pickles are not loaded"):
        load_conversion(path)


def test_a_vocoder_whose_filters_do_not_fit_is_refused(tmp_path):
    card = VocoderCard(
        kind="source-filter", licence="none", audio=AudioConfig(), model=SourceFilterConfig()
    )
    save_model(tmp_path, {"filters.bias": torch.zeros(1539)}, card)
    edit(tmp_path, model={"harmonic_window": 400})
    with pytest.raises(CheckpointError, match=r"model\.harmonic_window, 400, must"):
        load_vocoder(tmp_path)
    edit(tmp_path, format=2)
    with pytest.raises(CheckpointError, match=r"format 2 .*filters had another form; train"):
        load_vocoder(tmp_path)
