import numpy as np
import pytest
import torch
from scipy.stats import betabinom

from moksori.models.aligner import ParallelAligner
from moksori.models.attention import (
    DynamicConvolutionAttention,
    LocationSensitiveAttention,
    beta_binomial,
)
from moksori.models.cotatron import Cotatron
from moksori.models.layers import length_mask
from moksori.models.speaker_encoder import SpeakerClassifier, SpeakerEncoder
from moksori.models.text_encoder import TextEncoder
from moksori.models.tts_decoder import TTSDecoder

N_MELS, TEXT, SPEAKER, RNN = 20, 12, 6, 16
ATTENTIONS = {
    "location": lambda: LocationSensitiveAttention(RNN, TEXT + SPEAKER, 8, filters=4, kernel=7),
    "dynamic": lambda: DynamicConvolutionAttention(RNN, 8),
}


def decoder(attention: str = "location", r: int = 1) -> TTSDecoder:
    return TTSDecoder(TEXT + SPEAKER, N_MELS, ATTENTIONS[attention](), 10, RNN, 14, r, 0.1, 0.5)


def cotatron(attention: str = "location", r: int = 1) -> Cotatron:
    torch.manual_seed(0)
    model = Cotatron(
        TextEncoder(30, TEXT, (3,), 0.1, 0.1),
        SpeakerEncoder(N_MELS, (4, 8), SPEAKER),
        SpeakerClassifier(SPEAKER, 5),
        decoder(attention, r),
        ParallelAligner(TEXT, N_MELS, 8),
    )
    return model.eval()


@pytest.fixture
def lines():
    """Two lines of different lengths: phones, their lengths, mel, its lengths."""
    torch.manual_seed(1)
    phones = torch.randint(1, 30, (2, 9))
    phones[1, 6:] = 0
    mel = torch.randn(2, 31, N_MELS)
    mel[1, 22:] = 0
    return phones, torch.tensor([9, 6]), mel, torch.tensor([31, 22])


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("r", [1, 2, 3])
def test_each_frame_s_weights_sum_to_one_over_the_unpadded_text(lines, attention, r):
    text_lengths = lines[1]
    with torch.no_grad():
        for aligner in ("attention", "parallel"):
            aligned = cotatron(attention, r).align(*lines, aligner=aligner)
            weights = aligned.alignment
            assert weights.shape == (2, 31, 9)
            assert aligned.linguistic().shape == (2, 31, TEXT)
            torch.testing.assert_close(weights[0].sum(-1), torch.ones(31))
            torch.testing.assert_close(weights[1, :22].sum(-1), torch.ones(22))
            assert weights[1, :22, text_lengths[1] :].abs().max() < 1e-6


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_line_alone_is_the_line_in_a_batch(lines, attention):
    phones, text_lengths, mel, mel_lengths = lines
    model = cotatron(attention, 2)
    with torch.no_grad():
        both = model(*lines)
        alone = model(phones[1:, :6], text_lengths[1:], mel[1:, :22], mel_lengths[1:])
    for name in ("mel_before", "mel_after"):
        torch.testing.assert_close(
            getattr(both.decoded, name)[1:, :22], getattr(alone.decoded, name), atol=1e-5, rtol=1e-4
        )
    torch.testing.assert_close(both.log_speaker[1:], alone.log_speaker, atol=1e-5, rtol=1e-4)
    assert both.decoded.mel_after[1, 22:].abs().max() == 0


@pytest.mark.parametrize("r", [1, 2])
def test_a_frame_is_predicted_from_those_before_it_only(r):
    torch.manual_seed(0)
    model = decoder(r=r).eval()
    memory, text_mask = torch.randn(1, 9, TEXT + SPEAKER), torch.ones(1, 9, dtype=torch.bool)
    mel, mask = torch.randn(1, 12, N_MELS), torch.ones(1, 12, dtype=torch.bool)
    changed = mel.clone()
    changed[:, 6:] += 1
    with torch.no_grad():
        first = model(memory, text_mask, mel, mask).mel_before
        second = model(memory, text_mask, changed, mask).mel_before
    torch.testing.assert_close(first[:, :6], second[:, :6])
    assert (first[:, 6 + r :] - second[:, 6 + r :]).abs().max() > 1e-4


def test_evaluation_repeats_itself_and_training_does_not(lines):
    model = cotatron()
    with torch.no_grad():
        first, second = (model(*lines).decoded.mel_after for _ in range(2))
        torch.testing.assert_close(first, second, atol=0, rtol=0)
        model.train()
        third, fourth = (model(*lines).decoded.mel_after for _ in range(2))
    assert (third - fourth).abs().max() > 1e-4


def test_less_teacher_forcing_shows_the_decoder_its_own_frames(lines):
    model = cotatron()
    with torch.no_grad():
        real = model(*lines).decoded.mel_before
        own = model(*lines, teacher_forcing=0.0).decoded.mel_before
    torch.testing.assert_close(real[:, 0], own[:, 0])  # the go-frame is everyone's
    assert (real[:, 2:] - own[:, 2:]).abs().max() > 1e-4


def test_every_weight_of_training_gets_a_gradient(lines):
    model = cotatron().train()
    out = model(*lines)
    loss = out.decoded.mel_after.square().mean() + out.log_speaker.square().mean()
    (loss + out.parallel.log_alignment.clamp(min=-5).mean()).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == []


@pytest.mark.parametrize(("alpha", "beta"), [(0.1, 0.9), (0.1, 2.0), (1.0, 1.0)])
def test_the_prior_is_scipy_s_beta_binomial(alpha, beta):
    expected = betabinom.pmf(np.arange(11), 10, alpha, beta)
    np.testing.assert_allclose(beta_binomial(11, alpha, beta).numpy(), expected, rtol=1e-5)


def test_energies_are_the_formulas():
    """As the papers write them, with torch's convolutions, a line at a time; and their gradients."""
    torch.manual_seed(0)
    mask, memory = length_mask(torch.tensor([9, 7])), torch.randn(2, 9, TEXT + SPEAKER)
    query, weights = torch.randn(2, RNN), torch.rand(2, 9).softmax(-1)
    for name, formula in (("location", location_energies), ("dynamic", dynamic_energies)):
        attention = ATTENTIONS[name]()
        attend = attention.begin(memory, mask)
        attend.weights, attend.total = weights, 3 * weights
        expected = torch.cat([
            formula(attention, query[i : i + 1], memory[i : i + 1], weights[i : i + 1])
            for i in range(2)
        ])  # fmt: skip
        torch.testing.assert_close(attend.energies(query), expected)
        parameters = list(attention.parameters())
        for ours, theirs in zip(
            torch.autograd.grad(attend.energies(query).square().sum(), parameters),
            torch.autograd.grad(expected.square().sum(), parameters),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs)


def location_energies(a, query, memory, weights):
    place = a.place(a.location(torch.stack([weights, 3 * weights], 1)).transpose(1, 2))
    return a.score(torch.tanh(a.query(query)[:, None] + a.memory(memory) + place))[..., 0]


def dynamic_energies(a, query, memory, weights):
    filters = a.filters2(torch.tanh(a.filters1(query))).view(a.channels, 1, a.kernel)
    moved = torch.conv1d(weights[:, None], filters, padding=a.kernel // 2)
    mixed = a.mix(torch.cat([a.static(weights[:, None]), moved], 1).transpose(1, 2))
    row = weights[0]
    prior = sum(a.prior.flip(0)[k] * torch.cat([torch.zeros(k), row[: 9 - k]]) for k in range(9))
    return a.score(torch.tanh(mixed))[..., 0] + prior.clamp(min=1e-6).log()


def test_the_attention_starts_at_the_text_s_begin_and_moves_forward():
    torch.manual_seed(0)
    attention = DynamicConvolutionAttention(RNN, 8)
    with torch.no_grad():
        attend = attention.begin(torch.randn(1, 40, 3), torch.ones(1, 40, dtype=torch.bool))
        weights = attend(torch.randn(1, RNN))
    assert weights[0, 11:].max() < 1e-3  # the prior reaches ten phones ahead


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_in_order_the_attention_s_alignment_is_the_posterior_over_orderly_paths(lines, attention):
    """So its likeliest phone never goes back; out of order it is what the decoder attended to."""
    _, text_lengths, _, mel_lengths = lines
    model = cotatron(attention)
    with torch.no_grad():
        free = model(*lines).decoded.alignment
        ordered = model.align(*lines, aligner="attention").alignment
        model.in_order = False
        torch.testing.assert_close(model.align(*lines, aligner="attention").alignment, free)
    for line in range(2):
        t, n = int(mel_lengths[line]), int(text_lengths[line])
        expected = posterior(free[line, :t, :n].double().numpy())
        np.testing.assert_allclose(ordered[line, :t, :n].numpy(), expected, atol=1e-4)
        assert (ordered[line, :t].argmax(-1).diff() >= 0).all()


def posterior(weights: np.ndarray) -> np.ndarray:
    """Share of each place of [T, N] among all paths that stay or go on by one, by writing them out."""
    t, n = weights.shape
    forward, backward = np.zeros((t, n)), np.zeros((t, n))
    forward[0, 0], backward[-1, -1] = weights[0, 0], 1
    for i in range(1, t):
        forward[i] = (forward[i - 1] + np.append(0, forward[i - 1, :-1])) * weights[i]
    for i in range(t - 2, -1, -1):
        onward = backward[i + 1] * weights[i + 1]
        backward[i] = onward + np.append(onward[1:], 0)
    both = forward * backward
    return both / both.sum(1, keepdims=True)
