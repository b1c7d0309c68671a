"""What a run asks, says, and is given: all questions at once, what is new, an actor's mean."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from moksori.cli import app
from moksori.dubbing.job import again, audition, check, dub
from moksori.dubbing.review import Review
from moksori.signal.audio import resample
from moksori.signal.pitch import f0, mean_log_f0
from tests.dubbing.conftest import InProcess, request

pytestmark = pytest.mark.slow


def moksori(*args):
    return CliRunner().invoke(app, [*map(str, args)], env={"COLUMNS": "200"})


def test_frame_rate_voices_and_recordings_are_asked_at_once(show):
    (show / "cast.toml").write_text('[characters."하나"]\nvoice = "lmy"\n', encoding="utf-8")
    (show / "takes" / "0001.wav").unlink()
    checked = check(replace(request(show), frame_rate=None))
    first, *others = [issue for issue in checked.issues if issue.severity == "error"]
    assert first.kind == "script" and "--fps" in first.say("en") and not checked.takes
    kinds = {issue.kind for issue in others}
    assert "no_role" in kinds and any(kind.startswith("no_audio") for kind in kinds), kinds
    done = moksori(
        "dub",
        show / "script.xlsx",
        "--audio",
        show / "takes",
        "--cast",
        show / "cast.toml",
        "-o",
        show / "out",
        "--lang",
        "en",
    )
    assert done.exit_code == 1 and "--fps" in done.output and "둘" in done.output


def test_a_run_says_what_is_new(show):
    asked, out, inner = request(show), show / "out", InProcess(request(show).setup)
    first = dub(asked, check(asked), out, lambda: inner)
    assert (first.new, len(first.rows)) == (4, 4)
    cast = (show / "cast.toml").read_text(encoding="utf-8")
    louder = cast.replace('[characters."둘"]', '[characters."둘"]\ngain = 2.0')
    assert louder != cast
    (show / "cast.toml").write_text(louder, encoding="utf-8")
    second = dub(asked, check(asked), out, lambda: inner)
    changed = [row.take.id for row in second.rows if row.take.line.character == "둘"]
    assert second.new == len(changed) == 2


def test_a_line_that_was_converted_between_two_deliveries_is_new(show):
    """By an audition, or alone; and also when it is as it was once, but not in the last delivery."""
    asked, out, inner = request(show), show / "out", InProcess(request(show).setup)
    review, counts = Review(out), []

    def deliver():
        result = dub(asked, check(asked, review=review), out, lambda: inner)
        counts.append((result.new, result.stayed))

    (first, *_) = check(asked).takes
    again(asked, check(asked), out, lambda: inner, [first.id])
    deliver()
    for effort in (0.5, None):
        review.ask(first.id, first.line.script_text, {"effort": effort})
        checked = check(asked, review=review)
        audition(asked, checked, out, lambda: inner, first.id, [first.role.voice])
        deliver()
    deliver()
    assert counts == [(4, 0), (1, 3), (1, 3), (0, 4)]


def test_an_actor_s_mean_can_be_given(show):
    """As `convert --actor-f0` does, so that both give a line the same pitch."""
    cast = (show / "cast.toml").read_text(encoding="utf-8")
    given = cast + '\n[actors."성우1"]\nf0 = 300.0\n'
    (show / "cast.toml").write_text(given, encoding="utf-8")
    asked, out, inner = request(show), show / "out", InProcess(request(show).setup)
    checked = check(asked)
    rows = {row.take.id: row for row in again(asked, checked, out, lambda: inner, ["0001_하나"])}
    row = rows["0001_하나"]
    assert row.take.line.actor == "성우1"
    wave = show / "converted.wav"
    done = moksori(
        "convert", row.take.audio, "--text", row.take.line.text, "--voice", row.take.role.voice,
        "--actor-f0", "300", "-o", wave,
    )  # fmt: skip
    assert "300.0 Hz" in done.output, done.output
    audio, means = checked.converter.card.audio, []
    for path in (row.wave, wave):
        samples, rate = soundfile.read(path, dtype="float32")
        tracked = f0(resample(samples, rate, audio.sample_rate).astype(np.float32), audio)
        means.append(mean_log_f0(torch.from_numpy(tracked)))
    assert means[0] == pytest.approx(means[1], abs=0.01)
