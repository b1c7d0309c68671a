"""How the attention sharpens over the steps of trainings. Draws the plot of docs/figures.md.

    python benchmarks/sharpness.py OUT.png "with guidance=RUN" "plain=RUN" …

Reads TensorBoard's events of `moksori train cotatron`: the mean of each frame's largest weight, and the mel's
loss, each averaged over five logged values.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import typer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

_TITLES = {
    "train/attention_sharpness": "mean of row maxima",
    "train/mse_before": "MSE before the post-net",
}


def main(out: Path, runs: list[str]) -> None:
    """Draw each run's curves and print them every 500 steps."""
    figure, axes = plt.subplots(1, len(_TITLES), figsize=(11, 4), layout="constrained")
    for run in runs:
        name, folder = run.split("=", 1)
        events = EventAccumulator(f"{folder}/events", {"scalars": 0, "images": 1})
        events.Reload()
        for axis, (tag, title) in zip(axes, _TITLES.items(), strict=True):
            steps, values = np.array([(e.step, e.value) for e in events.Scalars(tag)]).T
            smooth = np.convolve(values, np.ones(5) / 5, "valid")
            axis.plot(steps[4:], smooth, label=name)
            axis.set(title=title, xlabel="step")
            shown = [
                f"{s}: {v:.2f}" for s, v in zip(steps[4:] + 1, smooth, strict=True) if s % 500 < 10
            ]
            print(f"{name}, {title}: {', '.join(shown)}")
    axes[0].axhline(0.6, color="grey", linewidth=0.8, linestyle="--")
    axes[0].legend()
    axes[-1].set(ylim=(0, 4))
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    typer.run(main)
