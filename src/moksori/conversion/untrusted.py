"""Model cards from anywhere: nothing that they ask for takes memory before it is known to fit the weights."""

from typing import Any

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
