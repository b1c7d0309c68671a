import csv
import itertools

import numpy as np
import pytest
import soundfile
import torch

from moksori import Converter
from moksori.config import AudioConfig, ConversionConfig, CotatronConfig
from moksori.conversion import converter as conversion
from moksori.conversion import loaded
from moksori.conversion.card import VocoderCard
from moksori.conversion.loaded import LoadedModels
from moksori.errors import AudioError, CheckpointError, ConfigError, TextError, VoiceError
from moksori.metrics.measures import compare_f0
from moksori.models.conversion import ConversionModel
from moksori.signal import audio, features, levels
from moksori.signal.audio import Recording
from moksori.signal.pitch import shift_f0
from moksori.text import SYMBOLS
from moksori.weights import VOCODERS
from tests.conftest import DEMO, DEMO_TEXT, voiced_wave

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def converter() -> Converter:
    return Converter.from_pretrained()


@pytest.mark.parametrize(
    ("rate", "channels", "subtype", "suffix"),
    [
        (48000, 2, "PCM_24", ".wav"),
        (44100, 1, "PCM_16", ".flac"),
        (16000, 1, "FLOAT", ".wav"),
        (8000, 1, "PCM_U8", ".wav"),
    ],
)
def test_output_has_the_source_s_rate_length_channels_and_format(
    converter, tmp_path, rate, channels, subtype, suffix
):
    wave, original = soundfile.read(DEMO, dtype="float32")
    wave = audio.resample(wave, original, rate)[: 2 * rate + 17]
    path = tmp_path / f"in{suffix}"
    soundfile.write(path, np.repeat(wave[:, None], channels, 1), rate, subtype=subtype)
    result = converter.convert(path, DEMO_TEXT, "lmy")
    result.save(tmp_path / f"out{suffix}")
    before, after = soundfile.info(path), soundfile.info(tmp_path / f"out{suffix}")
    assert (after.frames, after.samplerate, after.channels, after.subtype) == (
        before.frames, before.samplerate, before.channels,
        "PCM_16" if before.subtype == "PCM_U8" else before.subtype,
    )  # fmt: skip
    assert np.isfinite(result.samples).all()
    assert np.abs(result.samples).max() > 0.01


def test_the_same_input_gives_the_same_output(converter):
    first, second = (converter.convert(DEMO, DEMO_TEXT, "kih") for _ in range(2))
    np.testing.assert_array_equal(first.samples, second.samples)


def test_level_melody_and_silence_are_the_source_s(converter):
    wave, rate = soundfile.read(DEMO, dtype="float32")
    padded = np.concatenate([np.zeros(rate), 0.5 * wave, np.zeros(rate // 2)]).astype(np.float32)
    recording = audio.Recording(padded[:, None], rate, "PCM_16")
    result = converter.convert(recording, DEMO_TEXT, "kih")
    out = result.samples[:, 0]
    assert levels.loudness(out, rate) == pytest.approx(levels.loudness(padded, rate), abs=0.5)
    begin, end = (round(t * rate) for t in result.speech)
    assert begin >= 0.85 * rate
    assert np.abs(out[: begin - 50]).max() < 1e-3
    assert np.abs(out[end + 50 :]).max() < 1e-3
    before, after = (
        features.f0(audio.resample(w, rate, 22050), converter.card.audio) for w in (padded, out)
    )
    kept = compare_f0(before, after)
    assert kept.correlation > 0.85
    assert kept.octave_errors < 0.1
    assert kept.voicing_error < 0.2


def test_a_very_quiet_recording_is_converted_at_its_level(converter):
    wave, rate = soundfile.read(DEMO, dtype="float32")
    quiet = (wave * (10 ** (-56 / 20) / np.abs(wave).max())).astype(np.float32)
    result = converter.convert(audio.Recording(quiet[:, None], rate, "FLOAT"), DEMO_TEXT, "kih")
    assert result.alignment.confidence > 0.4
    level = levels.loudness(result.samples[:, 0], rate)
    assert level == pytest.approx(levels.loudness(quiet, rate), abs=3)


def test_a_recording_in_memory_is_checked_as_a_file_is(converter):
    silent = audio.Recording(np.zeros((22050, 1), dtype=np.float32), 22050, "PCM_16")
    with pytest.raises(AudioError, match="silent"):
        converter.convert(silent, DEMO_TEXT, "lmy")
    with pytest.raises(AudioError, match="limit of 1 s"):
        converter.convert(audio.read(DEMO), DEMO_TEXT, "lmy", max_seconds=1)


@pytest.mark.parametrize("semitones", [-4.0, 3.0])
def test_pitch_moves_the_mean_f0_and_keeps_the_length(converter, semitones):
    plain, moved = (converter.convert(DEMO, DEMO_TEXT, "lmy", pitch=p) for p in (0.0, semitones))
    assert moved.samples.shape == plain.samples.shape
    low, high = (
        features.f0(audio.resample(c.samples[:, 0], c.sample_rate, 22050), AudioConfig())
        for c in (plain, moved)
    )
    both = (low > 0) & (high > 0)
    assert np.median(12 * np.log2(high[both] / low[both])) == pytest.approx(semitones, abs=0.5)


def test_a_pitch_out_of_reach_is_refused(converter):
    for pitch in (13.0, float("nan")):
        with pytest.raises(VoiceError, match="within 12 semitones"):
            converter.convert(DEMO, DEMO_TEXT, "lmy", pitch=pitch)


def test_voices_differ_in_mean_f0_and_sound(converter):
    low, high = (converter.convert(DEMO, DEMO_TEXT, name) for name in ("kih", "lmy"))
    pitch = [
        features.f0(audio.resample(c.samples[:, 0], c.sample_rate, 22050), converter.card.audio)
        for c in (low, high)
    ]
    medians = [float(np.median(p[p > 0])) for p in pitch]
    assert medians[0] < 170 < medians[1]
    assert np.abs(low.mel - high.mel).mean() > 0.3


def test_real_lines_align_with_their_own_text_better_than_with_another(converter, shared):
    """Unseen speakers, unseen texts: the confidence tells right lines from wrong ones."""
    corpus = shared / "corpus" / "emotiontts"
    with (corpus / "splits.csv").open() as file:
        ids = [row["id"] for row in csv.DictReader(file) if row["speaker"] == "pfb"][2:8]
    home = corpus / "Personality" / "pfb"
    texts = [(home / "transcript" / f"{id}.txt").read_text(encoding="utf-8-sig") for id in ids]
    right, wrong = [], []
    for i, id in enumerate(ids):
        wave = home / "wav" / f"{id}.flac"
        right.append(align(converter, wave, texts[i]))
        wrong += [align(converter, wave, text) for j, text in enumerate(texts) if j != i]
    assert min(right) > 0.5
    assert np.mean(wrong) < np.mean(right) - 0.2


def align(converter, path, text) -> float:
    """The confidence; a text of another pace counts as no match."""
    try:
        return converter.align(path, text).alignment.confidence
    except TextError:
        return 0.0


@pytest.mark.parametrize("aligner", ["parallel", "attention"])
def test_a_model_on_a_cotatron_has_a_second_opinion(converter, aligner):
    torch.manual_seed(0)
    sizes = ConversionConfig(aligner=aligner, cotatron=CotatronConfig(rnn_dim=16, prenet_dim=8))
    model = ConversionModel.build(sizes, AudioConfig(), len(SYMBOLS), len(converter.card.voices))
    card = converter.card.model_copy(update={"model": sizes})
    two = Converter(
        model=model.eval(), card=card, vocoder=converter.vocoder,
        vocoder_card=VocoderCard.model_construct(audio=card.audio),
    )  # fmt: skip
    line = two.align(DEMO, DEMO_TEXT).alignment
    np.testing.assert_allclose(line.second.sum(1), 1, atol=1e-4)
    assert not np.allclose(line.second, line.weights, atol=0.1)
    assert 0 < line.measures().agreement < 1
    assert converter.align(DEMO, DEMO_TEXT).alignment.measures().agreement is None


def test_products_in_bfloat16_change_a_line_by_a_hair(monkeypatch):
    """And none of what is decided of it: its alignment, and where its speech lies."""
    lines = []
    for faster in (False, True):
        monkeypatch.setattr(loaded, "multiplies_bfloat16", lambda faster=faster: faster)
        one = Converter.from_pretrained()
        kinds = {w.dtype for part in (one.model, one.vocoder) for w in part.parameters()}
        assert (torch.bfloat16 in kinds) is faster
        lines.append(one.convert(DEMO, DEMO_TEXT, "kih"))
    exact, near = (line.samples.astype(float) for line in lines)
    apart = 10 * np.log10(np.square(exact).sum() / np.square(near - exact).sum())
    assert 45 < apart < 100
    np.testing.assert_array_equal(lines[0].alignment.weights, lines[1].alignment.weights)
    plain = LoadedModels.from_pretrained()  # for whoever exports, whatever the processor
    assert {w.dtype for w in plain.model.parameters()} == {torch.float32}


def test_aligning_alone_gives_what_converting_gives(converter):
    alone = converter.align(DEMO, DEMO_TEXT).alignment
    converted = converter.convert(DEMO, DEMO_TEXT, "lmy").alignment
    np.testing.assert_allclose(alone.weights, converted.weights, atol=1e-5)
    assert alone.phones == converted.phones
    np.testing.assert_allclose(alone.weights.sum(1), 1, atol=1e-5)
    assert (np.diff(alone.path()) >= 0).all()


@pytest.mark.parametrize(("text", "word"), [("네.", "too short"), (DEMO_TEXT * 12, "too long")])
def test_a_text_of_impossible_pace_is_refused(converter, text, word):
    with pytest.raises(TextError, match=word):
        converter.convert(DEMO, text, "lmy")


def test_errors_name_what_to_do(converter, tmp_path):
    with pytest.raises(VoiceError, match=r"nearest are .*lmy"):
        converter.convert(DEMO, DEMO_TEXT, "lmi")
    with pytest.raises(AudioError, match="limit of 1 s"):
        converter.convert(DEMO, DEMO_TEXT, "lmy", max_seconds=1)
    soundfile.write(tmp_path / "click.wav", voiced_wave(0.02), 22050)
    with pytest.raises(AudioError, match=r"0\.\d+ s of sound"):
        converter.convert(tmp_path / "click.wav", "아", "lmy")
    with pytest.raises(CheckpointError):
        Converter.from_pretrained(tmp_path)


def test_shift_f0_moves_the_mean_and_keeps_the_intervals(converter):
    voice = converter.voice("kih")
    f0 = torch.tensor([0.0, 200, 250, 0, 300])
    moved = shift_f0(f0, voice.log_f0_mean)
    assert (moved == 0).tolist() == [True, False, False, True, False]
    assert moved[f0 > 0].log().mean().item() == pytest.approx(voice.log_f0_mean, abs=1e-4)
    torch.testing.assert_close(moved[2] / moved[1], torch.tensor(1.25))


@pytest.mark.parametrize("vocoder", VOCODERS)
def test_every_bundled_vocoder_synthesises(converter, vocoder):
    other = Converter.from_pretrained(vocoder=vocoder)
    made = other.convert(DEMO, DEMO_TEXT, "kih")
    usual = converter.convert(DEMO, DEMO_TEXT, "kih")
    np.testing.assert_array_equal(made.mel, usual.mel)
    assert len(made.samples) == len(usual.samples)
    assert made.samples.std() == pytest.approx(usual.samples.std(), rel=0.2)


def test_a_whisper_stays_a_whisper(converter):
    """The demo line without its voice, by the vocoder without F0: its conversion has none either."""
    settings = converter.card.audio
    take = audio.read(DEMO)
    wave = audio.resample(take.mono, take.sample_rate, settings.sample_rate)
    mel = features.log_mel(wave, settings)
    with torch.inference_mode():
        whisper = converter.vocoder(mel[None], torch.zeros(1, len(mel)))[0].numpy()
    recording = Recording(whisper[:, None], converter.vocoder.sample_rate, "PCM_16")
    assert (converter.source(recording).f0 > 0).mean() < 0.02
    converted = converter.convert(recording, DEMO_TEXT, "lmy")
    again = Recording(converted.samples, converted.sample_rate, "PCM_16")
    assert (converter.source(again).f0 > 0).mean() < 0.05


def test_effort_beyond_its_limits_is_refused(converter):
    for effort in (-0.1, 1.6, float("nan")):
        with pytest.raises(VoiceError, match="effort"):
            converter.convert(DEMO, DEMO_TEXT, "lmy", effort=effort)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"floor": "silent"}, "floor must be one of room, silence, got “silent”"),
        ({"treble": "none"}, "treble must be one of take, predict, off, got “none”"),
        ({"lower": -6.0}, "0 or more, got -6"),  # it made the line as loud as can be
        ({"lower": float("nan")}, "0 or more, got nan"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_not_taken_for_something_else(
    converter, asked, message
):
    with pytest.raises(ConfigError, match=message):
        converter.convert(DEMO, DEMO_TEXT, "lmy", **asked)


def test_a_known_f0_is_taken_in_any_precision_but_not_of_a_scream(converter):
    f0 = converter.source(DEMO).f0
    plain = converter.convert(DEMO, DEMO_TEXT, "lmy")
    for given in (f0, f0.astype(np.float64), f0.tolist()):
        same = converter.convert(DEMO, DEMO_TEXT, "lmy", source_f0=given)
        assert np.array_equal(same.samples, plain.samples)
    rate, low = 22050, np.full(86, 400.0)
    hertz = np.concatenate([low, np.linspace(400, 1100, 86), np.full(86, 1100.0)]).repeat(256)
    scream = (
        0.2 * np.sin(2 * np.pi * np.cumsum(hertz) / rate)[:, None] * np.hanning(len(hertz))[:, None]
    )
    cry = Recording(scream.astype(np.float32), rate, "FLOAT")
    heard = converter.convert(cry, None, "lmy", source_f0=converter.source(cry).f0)
    assert heard.source_f0.max() > 1000
    assert np.array_equal(heard.source_f0, converter.convert(cry, None, "lmy").source_f0)


def test_a_conversion_s_energies_settle(converter, monkeypatch):
    """Each decoding changes the energies that it was given less than the one before."""
    mels = []
    for decodings in (1, 2, 3, 4):
        monkeypatch.setattr(conversion, "DECODINGS", decodings)
        mels.append(torch.from_numpy(converter.convert(DEMO, DEMO_TEXT, "lmy", effort=0).mel))
    energies = [features.energy(mel, 3) for mel in mels]
    energies = [(e - e.mean(0)) / e.std(0) for e in energies]
    moved = [(a - b).abs().mean() for a, b in itertools.pairwise(energies)]
    assert moved[0] > moved[1] > moved[2]


@pytest.mark.parametrize("line", ["nek00204", "nen00204", "neo00204"])
def test_a_word_before_a_pause_is_not_put_behind_it(shared, converter, line):
    """후로, said before a pause of half a second that the aligner finds at another word's space."""
    recording = next((shared / "corpus" / "emotiontts").rglob(f"{line}.flac"))
    text = "어머니가 장례식에 다녀온 후로 계속 기운이 없으셔서 걱정된다."
    words = {
        word.label: word for word in converter.align(recording, text).alignment.word_intervals()
    }
    assert words["후로"].end - words["후로"].begin > 0.1
    assert words["후로"].begin - words["다녀온"].end < 0.15
    assert words["계속"].begin - words["후로"].end > 0.3
