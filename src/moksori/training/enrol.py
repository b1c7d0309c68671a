"""Enrolment: a voice from a few minutes of recordings; for every other voice the model stays as it is.

Learnt are a row of the voice table, beginning with the nearest voice's, and what the decoder's blocks and its
output add for this voice, with the blocks' depthwise kernels: 28,944 weights of 4.5 million, kept in the
voice's pack alone.
"""

import hashlib
import json
import shutil
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import lightning.pytorch as pl
import torch
from torch import nn

from moksori.config import DataConfig, OptimizerConfig, Seconds, TrainConfig
from moksori.conversion.card import ConversionCard, Voice
from moksori.conversion.checkpoint import load_conversion
from moksori.conversion.consents import Consent, revocation_of
from moksori.conversion.voices import VoicePack, load_pack, pack_path, place_of_new, save_pack
from moksori.corpus.batches import LineData, Usual
from moksori.corpus.lines import SourceLine
from moksori.corpus.prepare import MAX_SECONDS, prepare
from moksori.errors import CorpusError, VoiceError
from moksori.messages import Message, joined, message
from moksori.models.conversion import Batch, ConversionModel
from moksori.models.layers import MaskedBatchNorm, length_mask
from moksori.stepwise import ShowSteps
from moksori.training.common import ExportModel, fit, mel_l1
from moksori.training.conversion import ConversionTraining
from moksori.training.owner import Judge, owners_lines
from moksori.training.spoken import hear_consent
from moksori.writing import alone_in, atomic_write

_Step = TypeVar("_Step")
MIN_SECONDS: Seconds = 30.0  # of speech; what one minute and two give is in docs/figures.md
_NAMED = 3  # recordings that were left out, in an error
_VALID_SHARE = 0.1  # of the texts, to choose the weights by
_DATA = DataConfig(batch_seconds=30.0, buckets=2, max_line_seconds=MAX_SECONDS)
_OPTIMIZER = OptimizerConfig(
    steps=200, epoch_steps=25, learning_rate=5e-3, warmup_steps=10, weight_decay=0.0,
    average_decay=0.9, prior_steps=0,
)  # fmt: skip
_OWN = (
    "modulate.bias", "depthwise.conv.weight", "depthwise.conv.bias", "expand.bias", "contract.bias",
    "decoder.norm.weight", "decoder.norm.bias", "decoder.mel.bias",
)  # fmt: skip


class ShowStages(Protocol):
    """As `ShowSteps`, of several stages."""

    def __call__(self, stage: str, steps: Iterable[_Step], total: int, /) -> Iterable[_Step]:
        """The steps of a stage, of which there are `total`."""


class Enrolled(NamedTuple):
    """A voice that was enrolled.

    Attributes:
        path: of its pack.
        report: of `prepare`, with all that was left out and why.
    """

    path: Path
    report: dict[str, Any]

    @property
    def lines(self) -> int:
        """How many recordings it was learnt from."""
        return sum(self._entry["lines"].values())

    @property
    def minutes(self) -> float:
        """Of speech that it was learnt from."""
        return float(sum(self._entry["seconds"].values())) / 60

    @property
    def left_out(self) -> list[Message]:
        """Why each of the other recordings was left out."""
        return [Message.load(line["message"]) for line in self.report["rejected"]]

    @property
    def _entry(self) -> dict[str, Any]:
        entry: dict[str, Any]
        (entry,) = self.report["speakers"].values()
        return entry


class _Enrolment(ConversionTraining):
    """Nothing of the model moves but what is learnt, a batch norm's statistics neither."""

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        super().on_train_batch_start(batch, batch_idx)
        for module in self.model.modules():
            if isinstance(module, MaskedBatchNorm):
                module.eval()


class _ExportPack(ExportModel):
    """Keeps the best weights as a pack with its consent: a killed enrolment leaves nothing without one."""

    def __init__(self, *asked: Any, own: Collection[str], pack: VoicePack) -> None:
        self.own, self.pack = own, pack
        super().__init__(*asked)

    def save(self, weights: dict[str, torch.Tensor], training: dict[str, int | float]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        save_pack(
            pack_path(self.folder, self.pack.voice.name),
            {name: weights[name] for name in self.own}, self.pack,
        )  # fmt: skip
        atomic_write(self.folder / "training.json", json.dumps(training))

    def training(self) -> dict[str, int | float]:
        path = self.folder / "training.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def enroll(
    name: str,
    lines: list[SourceLine],
    consent: Consent,
    model: Path,
    work: Path,
    packs: Path,
    optimizer: OptimizerConfig | None = None,
    replace: bool = False,
    progress: ShowStages = lambda stage, steps, total: steps,
    judge: Judge = owners_lines,
    spoken: Path | None = None,
) -> Enrolled:
    """Learn a voice and save its pack.

    Args:
        name: of the voice.
        lines: its recordings and their texts.
        consent: of the person.
        model: folder of the conversion model whose table it extends.
        work: for prepared audio and checkpoints; the same again to go on.
        packs: folder of the packs.
        optimizer: how long and how fast; as measured in docs/experiments.md by default.
        replace: a pack of that name.
        progress: wraps the steps of each stage (preparing, comparing, learning), and is given its name
            and their number.
        judge: says which recordings are not the owner's, or do not say their text; they are left out.
        spoken: a recording in which the owner says the consent's sentence.

    Raises:
        VoiceError: as `place_of_new`; or no voice of the model may be used any more.
        ConfigError: the spoken consent does not say its sentence, or is another person's; no Resemblyzer.
        CorpusError: less than half a minute of usable speech, or recordings of several people.
        CheckpointError: `model` is no conversion model.
        OutputError: the pack cannot be written; another enrolment is at work in `work`.
    """
    name = unicodedata.normalize("NFC", name)
    trained, card = load_conversion(model)
    path = place_of_new(name, card, packs, consent, replace)
    rows = _rows_held(card, packs)
    if not rows:
        raise VoiceError.of("enrol.no_row", model=model)
    with alone_in(work):
        report = prepare(
            lines, work / "corpus", "", card.audio, _VALID_SHARE,
            progress=partial(progress, "preparing"),
        )  # fmt: skip
        judged = judge(work / "corpus", lines, trained, card, partial(progress, "comparing"))
        if judged != lines:
            report = prepare(judged, work / "corpus", "", card.audio, _VALID_SHARE)
        entry = report["speakers"].get(name, {"seconds": {}})
        usable = sum(entry["seconds"].values())
        if usable < MIN_SECONDS or "valid" not in entry["seconds"]:
            rejected = report["rejected"]
            notice = [Message.load(line["message"]) for line in rejected[:_NAMED]]
            if (more := len(rejected) - _NAMED) > 0:
                notice.append(message("enrol.more", number=more))
            little = message("enrol.little", usable=usable, lines=len(lines), least=MIN_SECONDS)
            raise CorpusError(joined([little, *notice]))
        heard = (
            hear_consent(spoken, consent, work / "corpus", judged, trained, card)
            if spoken
            else None
        )
        terms = f"by consent of {consent.who}, for {consent.purpose}, until {consent.until}"
        voice = Voice(
            name=name, sex=entry["sex"], minutes=round(usable / 60, 1),
            licence=f"{card.licence}; and {terms}", log_f0_mean=entry["log_f0_mean"],
        )  # fmt: skip
        # Of other lines, of one that was changed, or of other weights, it is another training.
        made_of = [(str(line), line.audio and line.audio.stat().st_mtime_ns) for line in judged]
        run = work / f"run_{hashlib.sha256(str((_OWN, made_of)).encode()).hexdigest()[:16]}"
        pack = VoicePack(voice=voice, consent=consent, model=card.sha256, spoken=heard)
        weights, usual = _learn(
            trained,
            card,
            rows,
            pack,
            work / "corpus",
            run,
            optimizer or _OPTIMIZER,
            partial(progress, "learning"),
        )
        voice = voice.model_copy(update=usual._asdict())
        save_pack(path, weights, pack.model_copy(update={"voice": voice}))
        shutil.rmtree(run)
        return Enrolled(path, report)


def _rows_held(card: ConversionCard, packs: Path) -> list[int]:
    """Rows of the voices that may be used: a new one does not begin with one that was taken back."""

    def held(name: str) -> bool:
        consent = card.consents.get(name)
        return not consent or not (consent.expired or revocation_of(packs, name, consent))

    return [row for row, voice in enumerate(card.voices) if held(voice.name)]


def _learn(
    model: ConversionModel,
    card: ConversionCard,
    held: Sequence[int],
    pack: VoicePack,
    corpus: Path,
    run: Path,
    optimizer: OptimizerConfig,
    progress: ShowSteps,
) -> tuple[dict[str, torch.Tensor], Usual]:
    """The weights that best reconstruct the voice's own lines, by name, and what its card tells."""
    voice = pack.voice
    config = TrainConfig(
        audio=card.audio, optimizer=optimizer, data=_DATA, model=card.model, speak_every=0
    )
    pl.seed_everything(config.seed, verbose=False)
    lines = LineData(corpus, [voice.name], config.audio, config.data, config.seed)
    model.requires_grad_(False)
    model.freeze()
    rows = model.voices.weight[[*held]]
    model.voices = _embedding(nearest_row(model, rows, lines), freeze=False)
    own = ["voices.weight", *(name for name, _ in model.named_parameters() if name.endswith(_OWN))]
    for name in own:
        model.get_parameter(name).requires_grad_(True)
    alone = card.model_copy(update={"voices": [voice]})
    export = partial(_ExportPack, own=own, pack=pack)
    folder = fit(
        _Enrolment(model, config), lines, run, alone, "mel_l1", base=card.sha256, export=export,
        progress=progress,
    )  # fmt: skip
    weights, _ = load_pack(pack_path(folder, voice.name))
    return weights, lines.usual()[voice.name]


def _embedding(rows: torch.Tensor, freeze: bool = True) -> nn.Embedding:
    layer: nn.Embedding = nn.Embedding.from_pretrained(rows, freeze=freeze)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return layer


@torch.no_grad()
def nearest_row(model: ConversionModel, rows: torch.Tensor, lines: LineData) -> torch.Tensor:
    """Of `rows` [V, voice_dim], the one [1, voice_dim] that makes the validation lines again best."""
    model.eval()
    loss = torch.zeros(len(rows))
    for batch in lines.val_dataloader():
        mask = length_mask(batch.mel_lengths, batch.mel.shape[1])
        for number, row in enumerate(rows):
            model.voices = _embedding(row[None])
            loss[number] += mel_l1(model(Batch(*batch)).mel, batch.mel, mask)
    return rows[loss.argmin()][None].clone()
