import numpy as np
import pytest
import torch

from moksori.config import AudioConfig, ConversionConfig, CotatronConfig
from moksori.models.conversion import Batch, ConversionModel, OtherSpeaker
from moksori.models.layers import MaskedBatchNorm, length_mask, masked_standard
from moksori.models.prosody import NoProsody, ResidualProsody, fill_unvoiced
from moksori.text import SYMBOLS
from moksori.training.common import mel_l1

AUDIO = AudioConfig()
SMALL = ConversionConfig(
    text_dim=16,
    text_kernels=(5, 3),
    aligner_dim=8,
    voice_dim=4,
    f0_bins=8,
    decoder_dim=16,
    decoder_blocks=2,
)


COTATRON = CotatronConfig(
    text_dim=16, text_kernels=(5, 3), aligner_dim=8, speaker_channels=(4, 4), speaker_dim=4,
    attention_dim=8, prenet_dim=8, rnn_dim=12, postnet_dim=8, frames_per_step=2,
)  # fmt: skip
VARIANTS = {
    "f0": {},
    "residual": {"prosody": "residual"},
    "none": {"prosody": "none"},
    "gblocks": {"decoder": "gblocks", "gblock_channels": (16, 12, 8)},
    "tacotron": {"text_encoder": "tacotron"},
    "attention": {"aligner": "attention", "cotatron": COTATRON},
}


@pytest.fixture(params=VARIANTS)
def model(request) -> ConversionModel:
    torch.manual_seed(0)
    config = SMALL.model_copy(update=VARIANTS[request.param])
    model = ConversionModel.build(config, AUDIO, len(SYMBOLS), 3)
    for (
        name,
        weight,
    ) in model.named_parameters():  # starts at zero; any trained model has moved away
        if "modulate" in name:
            torch.nn.init.normal_(weight, std=0.3)
    return model.eval()


def random_batch(lengths: list[tuple[int, int]]) -> Batch:
    """Lines of (phones, frames), with rubbish in the padding where a model must not look."""
    generator = torch.Generator().manual_seed(3)
    n, t = max(p for p, _ in lengths), max(f for _, f in lengths)
    size = len(lengths)
    return Batch(
        phones=torch.randint(1, len(SYMBOLS), (size, n), generator=generator),
        phone_lengths=torch.tensor([p for p, _ in lengths]),
        mel=torch.randn(size, t, AUDIO.n_mels, generator=generator) - 5,
        mel_lengths=torch.tensor([f for _, f in lengths]),
        f0=torch.rand(size, t, generator=generator)
        .mul(300)
        .clamp(min=100)
        .where(torch.rand(size, t) > 0.3, 0),
        voice=torch.arange(size) % 3,
    )


def line(batch: Batch, i: int) -> Batch:
    n, t = int(batch.phone_lengths[i]), int(batch.mel_lengths[i])
    one = [value[i : i + 1] for value in batch[:6]]
    return Batch(
        phones=one[0][:, :n],
        phone_lengths=one[1],
        mel=one[2][:, :t],
        mel_lengths=one[3],
        f0=one[4][:, :t],
        voice=one[5],
    )


def test_a_line_alone_and_in_a_batch_give_the_same(model):
    batch = random_batch([(9, 50), (4, 23), (6, 31)])
    together = model(batch)
    for i in range(3):
        n, t = int(batch.phone_lengths[i]), int(batch.mel_lengths[i])
        alone = model(line(batch, i))
        torch.testing.assert_close(together.mel[i, :t], alone.mel[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(
            together.log_alignment[i, :t, :n], alone.log_alignment[0], atol=1e-4, rtol=1e-4
        )
        assert together.mel[i, t:].abs().max() == 0 if t < 50 else True


def test_shapes_and_rows(model):
    batch = random_batch([(9, 50), (4, 23)])
    mel, log_alignment, alignment = model(batch)
    assert mel.shape == (2, 50, 80)
    for weights in (log_alignment.exp(), alignment):
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 50))


def test_the_voice_changes_the_mel_but_not_the_alignment(model):
    batch = random_batch([(9, 50)])
    first, second = model(batch), model(batch._replace(voice=torch.tensor([2])))
    assert (first.mel - second.mel).abs().max() > 1e-3
    torch.testing.assert_close(first.log_alignment, second.log_alignment)


def test_another_speaker_s_recording_gives_what_is_said_at_the_target_s_time(model):
    batch, other = random_batch([(9, 50)]), random_batch([(9, 70)])
    frames = torch.linspace(0, 69, 50).long()[None]
    spoken = OtherSpeaker(other.mel, other.mel_lengths, frames)
    made = model(batch._replace(other=spoken))
    assert made.mel.shape == (1, 50, 80)
    assert made.alignment.shape == (1, 70, 9)
    linguistic = model.align(*batch[:2], *spoken[:2]).linguistic()[0, frames[0]][None]
    mask = torch.ones(1, 50, dtype=torch.bool)
    prosody = model.prosody(batch.f0, batch.mel, mask)
    expected = model.decoder(linguistic, prosody, model.voices(batch.voice), mask)
    torch.testing.assert_close(made.mel, expected)


def test_each_decoding_takes_the_energies_of_the_one_before(model):
    batch = random_batch([(9, 50), (4, 23)])
    once, twice = model(batch), model(batch, decodings=2)
    linguistic = model.align(*batch[:4]).linguistic()
    torch.testing.assert_close(twice.mel, model.decode(linguistic, batch._replace(mel=once.mel)))
    told = not isinstance(model.prosody, NoProsody)
    assert ((twice.mel - once.mel).abs().max() > 1e-3) == told
    torch.testing.assert_close(twice.alignment, once.alignment)


def test_what_is_frozen_stays_as_it_is(model):
    model.freeze()
    model.train()
    assert model.decoder.training and not model.text_aligner.text_encoder.training
    model(random_batch([(9, 50), (4, 23)])).mel.square().sum().backward()
    assert all(p.grad is None for p in model.text_aligner.parameters())
    assert any(p.grad is not None for p in model.decoder.parameters())


def test_batch_norm_does_not_look_at_the_padding():
    """Against torch's, over the unpadded places only; its running mean too."""
    torch.manual_seed(0)
    norm, plain = MaskedBatchNorm(4), torch.nn.BatchNorm1d(4)
    x, mask = torch.randn(2, 9, 4), length_mask(torch.tensor([9, 5]))
    out = norm(x, mask)
    torch.testing.assert_close(out[mask], plain(torch.cat([x[0], x[1, :5]])))
    assert out[1, 5:].abs().max() == 0
    torch.testing.assert_close(norm.norm.running_mean, plain.running_mean)


def test_the_mel_s_loss_does_not_move_the_alignment(model):
    """L = A·H with A detached: the aligner learns from the forward-sum loss alone."""
    batch = random_batch([(9, 50)])
    model(batch).mel.sum().backward()
    encoder, rest = model.text_aligner.text_encoder, set(model.text_aligner.parameters())
    assert encoder.embedding.weight.grad.abs().max() > 0
    for weight in rest - set(encoder.parameters()):
        assert weight.grad is None or weight.grad.abs().max() == 0


def test_the_residual_is_narrow_smooth_and_without_level():
    torch.manual_seed(0)
    encoder = ResidualProsody(8, AUDIO.n_mels).eval()
    mel = torch.randn(2, 60, AUDIO.n_mels)
    mask = length_mask(torch.tensor([60, 40]))
    with torch.no_grad():
        residual = encoder.encode(mel, mask)
        raw = masked_standard(torch.randn(2, 60, 1), mask)
    assert residual.shape == (2, 60, 1)
    assert residual.abs().max() <= 1
    assert residual[1, 40:].abs().max() == 0
    assert residual[0].diff(dim=0).abs().mean() < 0.3 * raw[0].diff(dim=0).abs().mean()
    assert encoder.hann.sum() == pytest.approx(1)
    np.testing.assert_allclose(encoder.hann / encoder.hann.max(), np.hanning(23)[1:-1], atol=1e-6)


def test_loss_counts_real_frames_only():
    target = torch.zeros(2, 4, 3)
    output = torch.ones(2, 4, 3)
    output[1, 1:] = 100
    mask = length_mask(torch.tensor([4, 1]))
    assert mel_l1(output, target, mask) == 1


def test_standardising_ignores_padding():
    x = torch.randn(1, 10, 3) * 4 + 2
    mask = length_mask(torch.tensor([6]), 10)
    y = masked_standard(x, mask)
    torch.testing.assert_close(y[:, :6].mean(1), torch.zeros(1, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(y[:, :6].var(1, unbiased=False), torch.ones(1, 3), atol=1e-3, rtol=0)
    assert y[:, 6:].abs().max() == 0


def test_f0_is_drawn_straight_over_unvoiced_frames():
    log_f0 = torch.tensor([[9.0, 1, 9, 9, 4, 9], [9, 9, 9, 9, 9, 9]])
    voiced = torch.tensor([[False, True, False, False, True, False], [False] * 6])
    filled = fill_unvoiced(log_f0, voiced)
    torch.testing.assert_close(filled[0], torch.tensor([1.0, 1, 2, 3, 4, 4]))
    assert filled[1].unique().numel() == 1


def test_a_tiny_model_learns_a_line_by_heart(model):
    """One line of moving sound, 150 steps: the loss must fall to a half."""
    batch = random_batch([(9, 50)])
    target = torch.sin(torch.arange(50)[None, :, None] / 3 + torch.arange(80) / 9) - 5
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    mask = length_mask(batch.mel_lengths)
    losses = []
    for _ in range(150):
        loss = mel_l1(model(batch).mel, target, mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) / 10 < losses[0] / 2
