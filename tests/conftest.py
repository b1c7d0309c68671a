"""What several tests share: synthetic speech, the real corpus and a browser, where they are."""

import os
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import soundfile

os.environ["LC_ALL"] = "C.UTF-8"  # whoever runs the tests: messages are English where none is asked
SHARED = Path(__file__).parents[2] / "shared"
DEMO = Path(__file__).parent / "data" / "old_demo.wav"  # synthetic: eSpeak NG, converted twice
DEMO_TEXT = DEMO.with_suffix(".txt").read_text(encoding="utf-8").strip()

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)  # fmt: skip

TESTS = Path(__file__).parent
SLOWEST = (  # two processes that share the files end together if these are begun first
    "studio/test_typed.py", "dubbing/test_job.py", "studio/test_enrol.py", "training/test_conversion.py",
    "studio/test_stumbles.py", "dubbing/test_folders.py", "studio/test_stays.py", "conversion/test_onnx.py",
    "studio/test_page.py", "training/test_tune.py", "studio/test_works.py", "dubbing/test_surroundings.py",
    "dubbing/test_engines.py", "dubbing/test_cluster.py", "corpus/test_workers.py",
    "dubbing/test_review.py", "training/test_enrol.py", "dubbing/test_dub_command.py",
    "corpus/test_prepare.py", "test_startup.py", "test_security.py", "models/test_conversion.py",
    "cli/test_commands.py", "dubbing/test_season_folder.py", "dubbing/test_season.py",
    "dubbing/deliver/test_provenance.py", "training/test_vocoder.py", "studio/test_heard.py",
    "dubbing/plan/test_preflight.py", "dubbing/test_check.py", "training/test_cotatron.py",
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The slowest files first, where processes share them."""
    if hasattr(config, "workerinput"):
        place = {TESTS / name: number for number, name in enumerate(SLOWEST)}
        items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture
def shared() -> Path:
    """The folder of real recordings and cases, beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared corpus and cases are not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """Debian's Chromium, driven by Playwright."""
    if not CHROMIUM:
        pytest.skip("no chromium here; install it (apt-get install chromium), or set CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def data_folders(tmp_path_factory) -> Iterator[Path]:
    """A new place at each call, which is not made."""
    base = tmp_path_factory.mktemp("data")
    return (base / str(number) for number in count())


@pytest.fixture(autouse=True)
def own_data_folder(data_folders, monkeypatch):
    """The user's voices and revocations are neither used nor changed by any test, nor those of another."""
    monkeypatch.setenv("XDG_DATA_HOME", str(next(data_folders)))


@pytest.fixture(scope="session", autouse=True)
def loaded_once():
    """Converters share the bundled weights, which nothing changes; other folders are read each time."""
    loaded = sys.modules.get("moksori.conversion.loaded")  # a quick test does not wait for PyTorch
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_conversion", "load_vocoder") if loaded else ():
            patch.setattr(loaded, name, _once(getattr(loaded, name)))
        yield


def _once(load):
    from moksori.weights import MODEL, VOCODERS

    kept = cache(load)
    bundled = {MODEL, *VOCODERS.values()}
    return lambda folder: (kept if folder in bundled else load)(folder)


def reference_meter(rate):
    """Pyloudnorm's meter with the standard's own filters, which pass as much at any rate as at 48 kHz."""
    import pyloudnorm

    def unity(at):
        k = np.tan(np.pi * 38.13547087602444 / at)
        return 1 + k / 0.5003270373238773 + k * k

    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    meter._filters["high_pass_DeMan"].passband_gain = unity(48000) / unity(rate)
    return meter


def voiced_wave(seconds: float, rate: int = 22050, f0: float = 150.0, seed: int = 0) -> np.ndarray:
    """A buzz with moving formants and pauses: not speech, but voiced, and unlike from frame to frame."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    pitch = f0 * 2 ** (0.2 * np.sin(2 * np.pi * 0.7 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    formant = 900 + 500 * np.sin(2 * np.pi * 1.9 * t)
    wave = sum(
        np.exp(-(((k * pitch - formant) / 700) ** 2)) * np.sin(k * phase) for k in range(1, 25)
    )
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * t)
    return (0.1 * wave * syllables + 0.001 * rng.standard_normal(len(t))).astype(np.float32)


TEXTS = ("같이 가자.", "밥은 먹었어?", "오늘은 날씨가 좋네!", "그래, 알았어.")


def write_corpus(folder: Path, speakers: tuple[str, ...] = ("pfx", "pmx", "zzz")) -> Path:
    """A small corpus in the layout of emotiontts, synthetic: 4 lines a speaker, the last for test."""
    rows = ["id,speaker,split"]
    for number, speaker in enumerate(speakers):
        home = folder / "Set" / speaker
        for name in ("wav", "script", "transcript"):
            (home / name).mkdir(parents=True)
        for i, text in enumerate(TEXTS):
            id = f"{speaker}{i:05d}"
            wave = voiced_wave(1.2 + 0.3 * i, f0=110 + 60 * number, seed=i)
            silence = np.zeros(4000, dtype=np.float32)
            soundfile.write(
                home / "wav" / f"{id}.wav", np.concatenate([silence, wave, silence]), 22050
            )
            (home / "script" / f"{id}.txt").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")
            (home / "transcript" / f"{id}.txt").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\n")
            rows.append(f"{id},{speaker},{'test' if i == 3 else 'train'}")
    (folder / "splits.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """The small corpus, prepared; read only."""
    from moksori.corpus import emotiontts
    from moksori.corpus.prepare import prepare

    source = write_corpus(tmp_path_factory.mktemp("source"))
    dest = tmp_path_factory.mktemp("prepared")
    prepare(emotiontts.read(source), dest, "none", valid_share=0.3)
    return dest


def no_relpath(path, start=None):
    """`os.path.relpath` between two drives of Windows."""
    raise ValueError(f"path is on mount {path!r}, start on mount {start!r}")
