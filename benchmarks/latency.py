"""Time an answer of each model for 1 and for 64 images.

Two things are timed for the first training of each model, in turn, in one process with one thread: a forward
pass of the network in batches of this size, and the answer with the OOD detector as `cifar10-classify --seed`
gives it, without reading a file. Wall time and CPU time are measured. Environment variable: REPEATS (default:
50). Writes reports/latency.json and .md.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.record import record
from benchmarks.run import number
from benchmarks.text import where
from cifar10 import errors, machine, params, paths
from cifar10.data import dataset
from cifar10.training import tensorflow_setup

# isort: split
import numpy as np
import psutil

Key = tuple[str, str, int]  # model, what is timed, number of images

SIZES = (1, 64)  # images
STEM = paths.REPORTS / "latency"
WARM_UP = 3  # calls that are not counted
BUSY = 0.5  # load average per core; above it, the text has the CPU times
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}  # both in seconds


def main() -> None:
    """Measure, write the results."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    chosen, repeats = params.load(), number("REPEATS", 50)
    load = psutil.getloadavg()[0]
    images = dataset.load("test").images[: max(SIZES)]
    with tensorflow_setup.tensorflow():
        from cifar10.training import models

        models.make_deterministic(seed=0)
    calls = {
        (name, kind, size): partial(call, images[:size])
        for name in chosen.models
        for kind, call in answers(name, chosen).items()
        for size in SIZES
    }
    report = {
        "machine": machine.describe(),
        "load": load,
        "repeats": repeats,
        "seed": chosen.train.seeds[0],
        "mirror": [name for name in chosen.predict.mirror if name in chosen.models],
        "models": nested(measure(calls, repeats)),
    }
    record(STEM, report, markdown(report))


def answers(name: str, chosen: params.Params) -> dict[str, Callable[[np.ndarray], Any]]:
    """Return functions of images, uint8 (N, 32, 32, 3): the forward pass and the answer of a training."""
    import tensorflow as tf

    from cifar10.evaluation import trained_models
    from cifar10.predict import predictor
    from cifar10.training import models

    seed = chosen.train.seeds[0]
    classifier = predictor.load([name], str(seed))
    network = models.build(name, chosen.models[name], len(classifier.classes))
    trained_models.load_weights(network, paths.model(name, seed))
    forward = tf.function(lambda batch: network(batch, training=False), autograph=False)
    compiled = forward.get_concrete_function(tf.TensorSpec((None, *models.INPUT_SHAPE), tf.uint8))
    return {"network": lambda images: compiled(tf.constant(images)).numpy(), "answer": classifier.classify}


def measure(
    calls: Mapping[Key, Callable[[], Any]],
    repeats: int,
    clocks: Mapping[str, Callable[[], float]] = CLOCKS,
) -> dict[Key, dict[str, dict[str, float]]]:
    """Time calls in turn; return the median and the quartiles of their times in seconds, by clock."""
    seconds: dict[Key, list[list[float]]] = {key: [] for key in calls}
    for _ in range(WARM_UP + repeats):
        for key, call in calls.items():
            started = [clock() for clock in clocks.values()]
            call()
            ended = [clock() for clock in clocks.values()]
            seconds[key].append([after - before for before, after in zip(started, ended, strict=True)])
    names = ("low", "median", "high")
    return {
        key: {
            clock: dict(zip(names, np.quantile(times, [0.25, 0.5, 0.75]).tolist(), strict=True))
            for clock, times in zip(clocks, np.transpose(runs[WARM_UP:]), strict=True)
        }
        for key, runs in seconds.items()
    }


def nested(found: Mapping[Key, Any]) -> dict[str, Any]:
    """Group results by model, by what was timed, and by the number of images, as text."""
    groups: dict[str, Any] = {}
    for (name, kind, size), times in found.items():
        groups.setdefault(name, {}).setdefault(kind, {})[str(size)] = times
    return groups


def markdown(report: dict[str, Any]) -> str:
    """Write the table and the conditions of the measurement."""
    columns = [(kind, size) for kind in ("network", "answer") for size in SIZES]
    heads = [f"{kind}, {size} image{'s' if size > 1 else ''}" for kind, size in columns]
    clock = "cpu" if busy(report) else "wall"
    lines = [f"| model | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for name, times in report["models"].items():
        cells = [f"{1000 * times[kind][str(size)][clock]['median']:.2f} ms" for kind, size in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(["# Latency", "", *lines, "", conditions(report), ""])


def busy(report: dict[str, Any]) -> bool:
    """Tell whether other processes shared the cores."""
    return report["load"] > BUSY * report["machine"]["cores"]


def conditions(report: dict[str, Any]) -> str:
    """Describe the columns, the clock and the machine."""
    told = [
        f"Medians of {report['repeats']} calls in turn, in one process with one thread, of the trainings "
        f"with seed {report['seed']}; an ensemble takes as long as its trainings together.",
        "*network*: a forward pass, without the mirror image.",
        "*answer*: probabilities and ID score, in batches of 64, so one image takes about as long as 64.",
        f"The answer of {' and '.join(report['mirror'])} includes the mirror image."
        if report["mirror"]
        else "",
        f"These are CPU times: the load average at the start was {report['load']:.1f}, and other processes "
        "lengthened the wall times, which reports/latency.json has."
        if busy(report)
        else "",
        f"Measured on {where(report['machine'])}.",
    ]
    return " ".join(filter(None, told))


if __name__ == "__main__":
    errors.run(main)
