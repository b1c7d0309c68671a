"""All settings, one frozen class a part. An unknown key or an impossible value is a `ConfigError`."""

import math
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from moksori.errors import ConfigError
from moksori.files import load_toml

MAX_CHARACTERS = 2000  # of a line; more is a page, and takes minutes to read
MAX_EFFORT = 1.5  # of the actor's own; beyond it the spectra are none that a voice has
Seconds = float
Hertz = float
Decibels = float
Semitones = float
Precision = Literal["auto", "32-true", "bf16-mixed"]


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ConfigError.of("config.odd")
    return number


# Several times what any model here has; beyond it, a mistyped size asks for more memory than there is.
_Channels = Annotated[int, Field(gt=0, le=4096)]
_Count = Annotated[int, Field(gt=0, le=64)]  # of blocks, or of times that one is wider inside
_Kernel = Annotated[int, Field(gt=0, le=255), AfterValidator(_odd)]
_Dilation = Annotated[int, Field(gt=0, le=1024)]
_Samples = Annotated[int, Field(gt=0, le=2**16)]
_Window = Annotated[int, Field(ge=4, le=2**16)]  # samples; its hop is a quarter


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AudioConfig(_Config):
    """What every stage agrees on. The defaults are HiFi-GAN's; the vocoder is trained on them."""

    sample_rate: int = Field(22050, gt=0, le=192000)  # Hz
    n_fft: _Samples = 1024  # samples
    hop_length: _Samples = 256  # samples; 11.6 ms
    win_length: _Samples = 1024  # samples
    n_mels: int = Field(80, gt=0, le=1024)
    fmin: Hertz = Field(0.0, ge=0)
    fmax: Hertz = Field(8000.0, gt=0)
    f0_tracker: Literal["swift"] = "swift"  # so that a model of another one is known as such
    f0_min: Hertz = Field(60.0, gt=0)  # below any speaking voice of the corpus
    f0_max: Hertz = Field(700.0, gt=0)  # a shouting woman or child
    loudness: Decibels = -23.0  # LUFS that every recording is brought to

    def same_mels(self, other: "AudioConfig") -> bool:
        """Whether mels are made alike, whatever is thought of F0: a vocoder's and Cotatron's concern."""
        tracking = ("f0_tracker", "f0_min", "f0_max")
        alike = {name: getattr(self, name) for name in tracking}
        return self == other.model_copy(update=alike)


class TextConfig(_Config):
    """Sizes of the text encoder and of the parallel aligner, which every model has."""

    text_encoder: Literal["local", "tacotron"] = "local"  # tacotron: the paper's, with a BiLSTM
    text_dim: _Channels = 224  # channels of the text encoding H
    # one convolution each; local on purpose
    text_kernels: tuple[_Kernel, ...] = Field((5, 3), max_length=64)
    text_dropout: float = Field(0.35, ge=0, lt=1)
    embedding_dropout: float = Field(0.1, ge=0, lt=1)
    aligner_dim: _Channels = 64  # channels of the aligner's queries and keys

    @model_validator(mode="after")
    def _two_directions(self) -> "TextConfig":
        if self.text_encoder == "tacotron" and self.text_dim % 2:
            raise ConfigError.of("config.text_dim", given=self.text_dim)
        return self


class CotatronConfig(TextConfig):
    """Sizes of Cotatron, fit for two CPU cores; the paper's are in `configs/paper.toml`."""

    parallel_aligner: bool = True  # false: plain Cotatron, aligned by its attention alone
    speaker_channels: tuple[_Channels, ...] = Field(
        (32, 32, 64, 64, 128, 128), min_length=1, max_length=64
    )
    speaker_dim: _Channels = 64  # channels of the speaker encoding z
    attention: Literal["location", "dynamic"] = "location"
    attention_dim: _Channels = 128
    in_order: bool = (
        True  # the attention's alignment is put in the text's order, as the parallel one
    )
    prior_beta: float = Field(0.9, gt=0)  # of the dynamic attention; above 0.9 for slower speech
    prenet_dim: _Channels = 256
    rnn_dim: _Channels = 256  # of the attention LSTM and the decoder LSTM
    postnet_dim: _Channels = 256
    frames_per_step: _Count = 2  # r
    zoneout: float = Field(0.1, ge=0, lt=1)
    dropout: float = Field(0.5, ge=0, lt=1)  # of prenet and post-net


AlignerName = Literal["parallel", "attention"]


class ConversionConfig(TextConfig):
    """Sizes of the conversion model (third recipe of docs/training.md)."""

    aligner: AlignerName = "parallel"  # attention: the TTSDecoder's, of the Cotatron underneath
    voice_dim: _Channels = 64  # channels of a row of the voice table
    prosody: Literal["f0", "residual", "none"] = "f0"  # residual: the paper's encoder
    f0_bins: _Channels = 64  # bins of the log-F0 embedding
    energy_bands: _Count = 3  # parts of the spectrum whose energy the decoder is given
    decoder: Literal["convnext", "gblocks"] = "convnext"  # gblocks: the paper's
    decoder_dim: _Channels = 288  # also of the prosody's encoding
    decoder_blocks: _Count = 7  # of convnext
    decoder_expansion: _Count = 3  # width of a block's inside, in decoder_dim
    decoder_dropout: float = Field(0.15, ge=0, lt=1)  # of convnext
    gblock_channels: tuple[_Channels, ...] = Field(
        (512, 384, 256, 192), min_length=2, max_length=64
    )
    cotatron: CotatronConfig | None = None  # not for a TOML: training puts it in, from `--cotatron`


class SourceFilterConfig(_Config):
    """Sizes of the source-filter vocoder."""

    sample_rate: int | None = Field(None, gt=0, le=192000)  # Hz of the wave; None: the mel's own
    treble_levels: bool = False  # whether it is given the voice's, signal/treble.py; for 44.1 kHz
    floor: Hertz = Field(0.0, ge=0)  # nothing is synthesised below it: for the upper of two bands
    band: Hertz = Field(
        20000.0, gt=0
    )  # nothing is synthesised above it, or above half the sample rate

    dim: _Channels = 256  # channels of the blocks
    blocks: _Count = 6
    expansion: _Count = 3  # width of a block's inside, in dim
    harmonic_window: _Samples = 512  # samples; of the pulses' filters, a quarter apart
    noise_window: _Samples = 256  # samples; of the noise's filters, a quarter apart

    def hop_length(self, audio: AudioConfig) -> int:
        """Samples of the wave a mel frame.

        Raises:
            ConfigError: it is no whole number.
        """
        hop, rest = divmod(
            audio.hop_length * (self.sample_rate or audio.sample_rate), audio.sample_rate
        )
        if rest:
            raise ConfigError.of(
                "config.hop", given=self.sample_rate, hop=audio.hop_length, rate=audio.sample_rate
            )
        return hop

    def check(self, audio: AudioConfig) -> None:
        """Whether each mel frame is a whole number of the filters' frames.

        Raises:
            ConfigError: it is not, or `floor` leaves nothing.
        """
        hop = self.hop_length(audio)
        if self.floor >= min(self.band, (self.sample_rate or audio.sample_rate) / 2):
            raise ConfigError.of("config.floor", given=self.floor)
        for name in ("harmonic_window", "noise_window"):
            window = getattr(self, name)
            if window % 8 or hop % (window // 4):
                raise ConfigError.of("config.window", name=name, given=window, hop=hop)


class RecogniserConfig(_Config):
    """Sizes of the recogniser."""

    dim: _Channels = 128  # channels; twice the aligner's dim to begin as it
    # of each block's convolution; local
    dilations: tuple[_Dilation, ...] = Field((1, 2, 1, 2), max_length=64)
    expansion: _Count = 3  # width of a block's inside, in dim
    dropout: float = Field(0.1, ge=0, lt=1)


class CotatronLosses(_Config):
    """Weights of the losses beside the two MSEs; 0 switches one off."""

    speaker: float = Field(0.1, ge=0)  # NLL of the speaker classifier
    forward_sum: float = Field(0.2, ge=0)  # of the parallel aligner
    guidance: float = Field(1.5, ge=0)  # cross-entropy of the attention to the parallel alignment
    guidance_steps: int = Field(0, ge=0)  # over which the guidance fades; 0: it stays
    teacher_forcing: float = Field(1.0, ge=0, le=1)  # share of steps that see the real frame


class VocoderLosses(_Config):
    """Weights of the vocoder's losses; 0 switches one off."""

    # samples; of the STFT loss
    windows: tuple[_Window, ...] = Field(
        (128, 256, 512, 1024, 2048, 4096), min_length=1, max_length=64
    )
    # samples; one discriminator each
    discriminator_windows: tuple[_Window, ...] = Field(
        (512, 1024, 2048), min_length=1, max_length=64
    )
    stft: float = Field(2.5, ge=0)  # multi-resolution STFT loss
    generator: float = Field(1.0, ge=0)  # of being taken for a recording
    feature_matching: float = Field(2.0, ge=0)  # of the discriminators' features
    adversarial_from: int = Field(2000, ge=0)  # step from which there are discriminators
    discriminator_channels: _Channels = 16
    discriminator_segments: int = Field(6, gt=0, le=4096)  # of a batch, that the discriminators see


class OptimizerConfig(_Config):
    """AdamW with linear warm-up and a decay of the learning rate until `steps`."""

    steps: int = Field(5000, gt=0)  # optimizer steps; a multiple of epoch_steps
    epoch_steps: int = Field(100, gt=0)  # between validations, each with a checkpoint
    learning_rate: float = Field(1.5e-3, gt=0)
    warmup_steps: int = Field(100, ge=0)
    decay: Literal["cosine", "exponential"] = "cosine"  # cosine: to zero; exponential: the paper's
    decay_rate: float = Field(0.05, gt=0, le=1)  # what the exponential one reaches at `steps`
    decay_start: int = Field(0, ge=0)  # step at which it begins
    weight_decay: float = Field(1e-2, ge=0)
    gradient_clip: float = Field(1.0, gt=0)  # norm
    average_decay: float = Field(0.998, ge=0, lt=1)  # of the running average of the weights
    aligner_weight: float = Field(0.2, ge=0)  # of the forward-sum loss beside the mel's L1
    prior_sigma: float = Field(0.12, gt=0)  # width of the diagonal prior, in text lengths
    prior_steps: int = Field(1500, ge=0)  # steps over which the diagonal prior fades

    @model_validator(mode="after")
    def _whole_epochs(self) -> "OptimizerConfig":
        if self.steps % self.epoch_steps:
            raise ConfigError.of("config.steps", given=self.steps, epoch=self.epoch_steps)
        if self.decay_start >= self.steps:
            raise ConfigError.of("config.decay", given=self.decay_start, steps=self.steps)
        return self


class DataConfig(_Config):
    """How prepared lines become batches."""

    batch_seconds: Seconds = Field(46.0, gt=0)  # of audio in a batch; 46 s is about 4,000 frames
    max_line_seconds: Seconds = Field(15.0, gt=0)  # longer lines are left out of training
    buckets: int = Field(8, gt=1, le=1024)  # of similar length
    workers: int = Field(0, ge=0, le=256)  # that load; features stay in memory, so 0 is fast


class RunConfig(_Config):
    """What every training run is given."""

    seed: int = Field(1, ge=0, lt=2**23)  # each step draws from 2^40 numbers of its own
    precision: Precision = "auto"  # auto: bf16 where it is faster
    log_every: int = Field(10, gt=0)  # steps between scalars
    audio: AudioConfig = AudioConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    data: DataConfig = DataConfig()


class TrainConfig(RunConfig):
    """Everything of one training of the conversion model; what `configs/conversion.toml` holds."""

    model: ConversionConfig = ConversionConfig()
    mel_loss: Literal["l1", "mse"] = "l1"  # mse: the paper's
    freeze_cotatron: bool = True  # false: its text encoder and aligner go on learning
    speak_every: int = Field(5, ge=0)  # validations between two lines to listen to; 0: none
    parallel_lines: bool = False  # L also from other speakers' recordings of the same text


class CotatronTrainConfig(RunConfig):
    """Everything of one training of Cotatron; what `configs/cotatron.toml` holds."""

    model: CotatronConfig = CotatronConfig()
    losses: CotatronLosses = CotatronLosses()

    @model_validator(mode="after")
    def _something_to_learn_from(self) -> "CotatronTrainConfig":
        if not self.model.parallel_aligner and (self.losses.forward_sum or self.losses.guidance):
            raise ConfigError.of("config.no_aligner")
        return self


class RecogniserTrainConfig(RunConfig):
    """Everything of one training of the recogniser; what `configs/recogniser.toml` holds."""

    model: RecogniserConfig = RecogniserConfig()
    stretch: float = Field(0.15, ge=0, lt=1)  # batches slower or faster by up to this share
    warp: float = Field(0.12, ge=0, lt=1)  # lines with bins moved by up to this share: other voices
    noise_share: float = Field(0.4, ge=0, le=1)  # lines with noise
    # bands of bins and, twice as many, spans that are hidden in a line
    masks: int = Field(2, ge=0, le=64)


class VocoderTrainConfig(RunConfig):
    """Everything of one training of the source-filter vocoder; what `configs/vocoder.toml` holds."""

    model: SourceFilterConfig = SourceFilterConfig()
    losses: VocoderLosses = VocoderLosses()
    segment_frames: int = Field(64, gt=1, le=4096)  # of each segment that a step learns from
    segments: int = Field(16, gt=0, le=4096)  # of a batch
    # of the segments by folder; by their length if not given
    shares: tuple[float, ...] | None = Field(None, min_length=1)
    gta_share: float = Field(0.5, ge=0, le=1)  # segments with a GTA mel, where there is one
    blur_share: float = Field(0.0, ge=0, le=1)  # segments with a mel made as imprecise as a model's

    @model_validator(mode="after")
    def _windows_fit(self) -> "VocoderTrainConfig":
        self.model.check(self.audio)
        if self.shares is not None and (
            min(self.shares) < 0 or not 0 < sum(self.shares) < math.inf
        ):
            raise ConfigError.of("config.shares")
        return self


AnyConfig = TypeVar("AnyConfig", bound=RunConfig)


def load_config(path: Path, kind: type[AnyConfig]) -> AnyConfig:
    """Read a training's TOML file; missing keys take their defaults.

    Args:
        path: the file.
        kind: which training it is for.

    Raises:
        ConfigError: as `load_toml`.
    """
    return load_toml(path, kind)
