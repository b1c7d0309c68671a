"""Workers of an open job, which stay for its next work."""

from collections.abc import Generator, Iterable, Iterator

from moksori.dubbing.task import Setup, Task
from moksori.dubbing.work.engines import LocalEngine, Outcome, load
from moksori.studio import folders


class KeptEngine(LocalEngine):
    """Workers that stay for the next work, so that a line is converted in the time that it takes.

    Attributes:
        in_hand: the tasks that are worked on.
    """

    def __init__(self, setup: Setup, workers: int) -> None:
        super().__init__(setup, workers)
        self.in_hand: dict[str, Task] = {}

    def warm(self) -> None:
        """Let one worker begin, so that the first line need not wait for it."""
        demo = folders.demo_source() / "demo.flac"
        text = demo.with_suffix(".txt").read_text(encoding="utf-8").strip()
        self._pool.submit(load, demo, text)

    def map(self, method: str, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """As `Engine.map`."""

        def noted() -> Iterator[Task]:
            for task in tasks:
                self.in_hand[task.key] = task
                yield task

        try:
            for outcome in super().map(method, noted()):
                self.in_hand.pop(outcome.task.key, None)
                yield outcome
        finally:
            self.in_hand = {}

    def close(self) -> None:
        """Leave them; `end` ends them."""

    def end(self) -> None:
        """End the workers."""
        super().close()
