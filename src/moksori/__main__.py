"""`python -m moksori`, which torchrun needs."""

from moksori.cli import main

main()
