"""What this machine's processor multiplies fastest."""

from functools import cache


@cache
def multiplies_bfloat16() -> bool:
    """Whether products in bfloat16 are faster than in float32.

    With AMX several times, with AVX512-BF16 on an AMD (Zen 4 and later) up to twice. An Intel with AVX512-BF16 but
    without AMX, or whose virtual machine hides it, has float32 products 1.7 times as fast as those in bfloat16
    (docs/figures.md).
    """
    import torch

    able = torch.cpu.get_capabilities()
    amd = "AMD" in able.get("cpu_name", "")
    return bool(able.get("amx_bf16") or (able.get("avx512_bf16") and amd))
