import pytest

from moksori.config import OptimizerConfig
from moksori.training.common import decay


def test_the_paper_s_decay_is_level_then_exponential():
    config = OptimizerConfig(steps=1000, decay="exponential", decay_start=200, decay_rate=0.01)
    assert decay(config, 0) == decay(config, 200) == 1
    assert decay(config, 600) == pytest.approx(0.1)
    assert decay(config, 1000) == pytest.approx(0.01)


def test_the_cosine_goes_to_zero():
    config = OptimizerConfig(steps=1000)
    assert decay(config, 0) == 1
    assert decay(config, 500) == pytest.approx(0.5)
    assert decay(config, 1000) == 0
