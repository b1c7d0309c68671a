"""A conversion model and a vocoder, loaded to work together: their voices, their recogniser, their device."""

from pathlib import Path
from typing import ClassVar, Self

import torch

from moksori.conversion.card import ConversionCard, VocoderCard, Voice
from moksori.conversion.checkpoint import load_conversion, load_vocoder
from moksori.conversion.consents import UNSAID, Usage, packs_folder
from moksori.conversion.listening import Listener, find_recogniser
from moksori.conversion.parts import check_use
from moksori.conversion.voices import Target, find_target
from moksori.errors import CheckpointError, ConfigError
from moksori.models.conversion import ConversionModel
from moksori.models.layers import with_bfloat16_products
from moksori.models.vocoder import Vocoder
from moksori.processor import multiplies_bfloat16
from moksori.text.front_end import FRONT_ENDS
from moksori.weights import DEFAULT_VOCODER, MODEL, RECOGNISER, VOCODERS


def find_device(name: str) -> torch.device:
    """The device of that name.

    Raises:
        ConfigError: there is none.
    """
    kind, _, number = name.partition(":")
    count = {"cpu": 1, "cuda": torch.cuda.device_count()}.get(kind, 0)
    if (number and not number.isdecimal()) or int(number or 0) >= count:
        raise ConfigError.of("convert.device", device=name, count=torch.cuda.device_count())
    return torch.device(name)


class LoadedModels:
    """What a `Converter` converts with.

    Attributes:
        quick: whether products may be in bfloat16, where this machine's processor multiplies so faster.
    """

    quick: ClassVar[bool] = False

    def __init__(
        self,
        *,
        model: ConversionModel,
        card: ConversionCard,
        vocoder: Vocoder,
        vocoder_card: VocoderCard,
        packs: Path | str | None = None,
        recogniser: Path | None = RECOGNISER,
        usage: Usage = UNSAID,
        device: str = "cpu",
    ) -> None:
        if not card.audio.same_mels(vocoder_card.audio):
            raise CheckpointError.of("model.audio")
        audio, hop_length, sample_rate = card.audio, vocoder.hop_length, vocoder.sample_rate
        if sample_rate * audio.hop_length != hop_length * audio.sample_rate:
            raise CheckpointError.of(
                "model.frames", kind=vocoder.kind, sample_rate=sample_rate, hop_length=hop_length,
                frame_rate=audio.sample_rate / audio.hop_length,
            )  # fmt: skip
        self.device = find_device(device)
        model, vocoder = model.to(self.device), vocoder.to(self.device)
        if self.quick and self.device.type == "cpu" and multiplies_bfloat16():
            model, vocoder = with_bfloat16_products(model), with_bfloat16_products(vocoder)
        self.model, self.card = model, card
        self.vocoder, self.vocoder_card = vocoder, vocoder_card
        self.packs = Path(packs or packs_folder())
        self.recogniser, self.usage = recogniser, usage
        self.front_end = FRONT_ENDS[card.language]

    @classmethod
    def from_pretrained(
        cls,
        model: Path | str | None = None,
        vocoder: Path | str = DEFAULT_VOCODER,
        packs: Path | str | None = None,
        recogniser: Path | str | None = None,
        usage: Usage = UNSAID,
        device: str = "cpu",
    ) -> Self:
        """Load a model and a vocoder.

        Args:
            model: its folder; the bundled one by default.
            vocoder: a name of `weights.VOCODERS`, or a folder.
            packs: folder of enrolled voices; the user's own by default.
            recogniser: its folder, `bundled` or `off`; the model's own by default, or else the bundled one.
            usage: what the conversions are for; consents are held to it.
            device: where model and vocoder work: `cpu`, `cuda`, or one of several, `cuda:1`.

        Raises:
            ConfigError: there is no such device.
            CheckpointError: a folder that is damaged, of a newer format, or holds a pickle; a commercial use
                that a part's licence forbids.
        """
        find_device(device)  # before anything is loaded
        if str(vocoder) not in VOCODERS and not Path(vocoder).exists():
            raise CheckpointError.of("model.no_vocoder", name=vocoder, known=", ".join(VOCODERS))
        trained, card = load_conversion(Path(model or MODEL))
        decoder, vocoder_card = load_vocoder(VOCODERS.get(str(vocoder), Path(vocoder)))
        converter = cls(
            model=trained, card=card, vocoder=decoder, vocoder_card=vocoder_card, packs=packs,
            recogniser=find_recogniser(Path(model or MODEL), recogniser), usage=usage,
            device=device,
        )  # fmt: skip
        check_use(converter)
        return converter

    def target(self, name: str) -> Target:
        """The voice of that name with all that is its own, read anew each time.

        Raises:
            VoiceError: there is none, and the message names the nearest; one whose consent has ended, was
                revoked or does not cover the use.
            CheckpointError: its pack is damaged.
        """
        return find_target(name, self.card, self.packs, self.model, self.usage)

    def voice(self, name: str) -> Voice:
        """The voice of that name, of the model or enrolled.

        Raises:
            VoiceError, CheckpointError: as `target`.
        """
        return self.target(name).voice

    @property
    def listener(self) -> Listener | None:
        """The recogniser, which hears without a text; None if it is off.

        Raises:
            CheckpointError: it is damaged, or hears other mels.
        """
        if self.recogniser is None:
            return None
        return Listener.from_pretrained(self.card.audio, self.recogniser)

    def on_device(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The same tensors where the models are."""
        return tuple(tensor.to(self.device) for tensor in tensors)
