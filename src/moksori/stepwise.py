"""Work that is done step by step: how far it is can be shown, and it may be ended between two steps."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

_Step = TypeVar("_Step")


class ShowSteps(Protocol):
    """Wraps the steps of a piece of work, to show how far it is or to end it."""

    def __call__(self, steps: Iterable[_Step], total: int, /) -> Iterable[_Step]:
        """The same steps, of which there are `total`."""


def unshown(steps: Iterable[_Step], total: int) -> Iterable[_Step]:
    """The steps as they are: nothing is shown."""
    return steps
