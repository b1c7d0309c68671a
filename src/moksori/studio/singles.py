"""What belongs to no job: single lines, and a sentence in each voice."""

import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from moksori.dubbing.plan.memory import Memory
from moksori.dubbing.progress import Stage, Watch
from moksori.dubbing.task import Setup
from moksori.provenance.statement import write_line_statement
from moksori.signal import audio
from moksori.studio import folders
from moksori.studio.voices import voices_sign
from moksori.studio.works import Work, Works


class Singles:
    """Converts them; their files lie in a folder of their own, until Studio ends.

    Args:
        memory: of loaded models.
        works: what does the work.
        setup: of a conversion, as it is asked for now.
    """

    def __init__(self, memory: Memory, works: Works, setup: Callable[[], Setup]) -> None:
        self._memory, self._works, self._setup = memory, works, setup
        self._home = tempfile.TemporaryDirectory(prefix="moksori-")
        self.folder = Path(self._home.name)
        self._samples: dict[tuple[Setup, str, str], bytes] = {}
        self._sampling = threading.Lock()

    def close(self) -> None:
        """Delete the files."""
        self._home.cleanup()

    def convert(self, path: Path, text: str, voices: list[str]) -> Work:
        """Convert a line in the folder to voices."""
        return self._works.add("one", partial(self._convert, path, text, voices), voices=voices)

    def _convert(
        self, path: Path, text: str, voices: list[str], watch: Watch
    ) -> dict[str, dict[str, Any]]:
        converter = self._memory.converter(self._setup())
        found: dict[str, dict[str, Any]] = {}
        words = None if converter.front_end.names_sound(text) else text
        results = (converter.convert(path, words, voice) for voice in voices)
        for voice, result in zip(
            voices, watch.steps(Stage.CONVERTING, results, len(voices)), strict=True
        ):
            wave = path.with_name(f"{path.stem}.{voice}.wav")
            result.save(wave)
            write_line_statement(wave, converter, path, voice)
            confidence = None if words is None else result.alignment.confidence
            found[voice] = {"file": wave.name, "confidence": confidence}
        return found

    def sample(self, voice: str) -> bytes:
        """A sentence in a voice, as a page plays it.

        Raises:
            MoksoriError: no such voice, or it may not be used.
        """
        with self._sampling:
            setup = self._setup()
            self._memory.converter(setup).voice(voice)  # also if it was heard before
            key = setup, voice, voices_sign(setup)  # which may be replaced by another of its name
            if key not in self._samples:
                converter = self._memory.converter(setup)
                text = (folders.demo_source() / "demo.txt").read_text(encoding="utf-8").strip()
                result = converter.convert(folders.demo_source() / "demo.flac", text, voice)
                wave = audio.downmix(result.samples)
                self._samples[key] = audio.for_page(wave, result.sample_rate)
            return self._samples[key]
