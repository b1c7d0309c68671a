"""Model cards from anywhere: nothing that they ask for takes memory before it is known to fit the weights."""

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from moksori.errors import MoksoriError

_DEEPEST = 16  # levels of a card
_MOST_LAYERS = 256  # of one kind
_LARGEST = 2**20  # what is counted in a card: channels, samples, steps; a sample rate too


def check_sizes(card: Any, name: str = "the file", depth: int = 0) -> None:
    """See that nothing of a card asks for more than any model has, before it is built.

    Raises:
        MoksoriError: something does; without the file.
    """
    if depth > _DEEPEST:
        raise MoksoriError.of("model.too_deep", most=_DEEPEST)
    if isinstance(card, dict):
        for key, value in card.items():
            check_sizes(value, name if name == "training" else key, depth + 1)
    elif isinstance(card, list):
        if len(card) > _MOST_LAYERS and isinstance(card[0], int | float):
            raise MoksoriError.of("model.too_many", name=name, number=len(card), most=_MOST_LAYERS)
        for value in card:
            check_sizes(value, name, depth + 1)
    elif isinstance(card, int | float) and name != "training":  # steps may be millions
        most = _MOST_LAYERS if name.endswith("blocks") else _LARGEST
        if not abs(card) <= most:
            raise MoksoriError.of("model.too_large", name=name, number=f"{card!s:.40}", most=most)


class Shapes(TorchFunctionMode):
    """Within it layers have shapes, but neither memory nor values.

    As `torch.device("meta")`, which would also compute what is no weight, and load a second's worth of Python
    for it.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # as its base's
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if func is torch.empty:
            return func(*args, **{**kwargs, "device": "meta"})
        if name.endswith("_") and not name.startswith("_"):  # weights set to their first values
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
