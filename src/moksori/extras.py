"""The extras of the package: a library that is missing becomes the command that installs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from moksori.errors import ConfigError

_ENROLMENT = ("lightning", "lhotse", "tensorboard", "resemblyzer")  # what it needs of `train`


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Within, a missing library is an error that says how to install the extra.

    Raises:
        ConfigError: a library is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("moksori"):
            raise
        raise ConfigError.of("extra.missing", name=error.name, extra=name) from None


def check_enrolment() -> None:
    """See that what an enrolment needs is installed, without importing it, which takes seconds.

    Raises:
        ConfigError: a library is missing.
    """
    for name in _ENROLMENT:
        if find_spec(name) is None:
            raise ConfigError.of("extra.missing", name=name, extra="train")
