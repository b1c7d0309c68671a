"""What this machine's processor multiplies fastest."""

from functools import cache
from typing import Any


@cache
def multiplies_bfloat16() -> bool:
    """Whether products in bfloat16 are faster than in float32.

    With AMX several times, on an AMD with AVX512-BF16 (Zen 4 and later) up to twice. An Intel that has this
    without AMX, or whose virtual machine hides it, multiplies in float32 1.7 times as fast as in
    bfloat16 (docs/figures.md).
    """
    import torch

    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older ones lack it
    amd = "AMD" in able.get("cpu_name", "")
    return bool(able.get("amx_bf16") or (able.get("avx512_bf16") and amd))
