import pytest
import torch

from moksori.processor import multiplies_bfloat16
from moksori.training.common import _precision


@pytest.mark.parametrize(
    ("able", "faster"),
    [
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, True),
        ({"cpu_name": "AMD EPYC 9B14", "avx512_bf16": True, "amx_bf16": False}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, False),
        ({"cpu_name": "AMD EPYC 7B13"}, False),
        ({}, False),  # not x86
    ],
)
def test_bfloat16_is_used_only_where_it_is_the_faster(monkeypatch, able, faster):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    multiplies_bfloat16.cache_clear()
    assert multiplies_bfloat16() is faster
    assert _precision("auto") == ("bf16-mixed" if faster else "32-true")
    assert _precision("bf16-mixed") == "bf16-mixed"
    multiplies_bfloat16.cache_clear()
