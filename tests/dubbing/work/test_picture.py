import matplotlib
import numpy as np
from matplotlib.image import imread

from moksori.alignment.alignment import Alignment
from moksori.dubbing.work.long_lines import Part
from moksori.dubbing.work.picture import draw_line, palette, spectrogram
from moksori.signal.audio import Recording

RATE, FRAME = 48000, 256 / 22050


def tone(hertz, begin, end, seconds=1.5):
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.1 * np.sin(2 * np.pi * hertz * t) * ((t >= begin) & (t < end))


def test_a_tone_is_at_its_time_and_frequency():
    times = np.arange(100) * FRAME
    level = spectrogram(tone(15100, 0.5, 0.8), RATE, times)
    row, column = np.unravel_index(level.argmax(), level.shape)
    assert level.shape == (80, 100) and row == 60
    assert 0.5 < times[column] < 0.8
    outside = (times < 0.48) | (times > 0.82)
    assert level[:, outside].max() < level.max() - 100


def test_the_picture_has_take_result_and_alignment_one_above_the_other(tmp_path):
    """The speech begins at 0.3 s; the result alone has a tone at 15 kHz, in the middle of it."""
    posterior = np.eye(4).repeat(20, axis=0)
    alignment = Alignment(
        weights=posterior,
        posterior=posterior,
        phones=tuple("^가$"),
        frame=FRAME,
        begin=0.3,
        words=(),
    )
    part = Part(alignment, np.zeros((80, 80)), np.zeros(80))
    take = Recording(tone(400, 0, 1.5)[:, None], RATE, "PCM_16")
    middle = 0.3 + 40 * FRAME
    converted = (take.samples[:, 0] + tone(15100, middle - 0.1, middle + 0.1))[:, None]
    draw_line(tmp_path / "line.png", [part], take, converted)
    picture = imread(tmp_path / "line.png")[..., :3].sum(2)
    assert picture.shape == (240, 80)
    at = 79 - 60  # rows go down from 20 kHz
    assert picture[80 + at, 40] > picture[at, 40] + 0.5
    assert picture[80 + at, 5] < picture[80 + at, 40] - 0.5
    assert picture[239, 5] > picture[239, 75]  # the first phone is lowest


def test_the_scales_are_matplotlib_s():
    for own, name in zip(np.split(palette() / 255, 2), ("magma", "viridis"), strict=True):
        theirs = matplotlib.colormaps[name](np.linspace(0, 1, len(own)))[:, :3]
        assert np.abs(own - theirs).max() < 0.07
