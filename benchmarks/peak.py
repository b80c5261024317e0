"""Measure the peak float32 rate and memory bandwidth of the machine; count the operations per image."""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import machine, params
from cifar10.training import tensorflow_setup

SIDE = 3000  # rows and columns of the matrices
TIMES = 15  # products; the fastest counts


def main() -> None:
    """Print all results as JSON."""
    from benchmarks import memory_bandwidth  # after cifar10, since it loads NumPy

    moved = {processes: memory_bandwidth.bandwidth(processes) for processes in sorted({1, machine.cores()})}
    with tensorflow_setup.tensorflow(portable=False):
        from cifar10.training import models

    work = {name: flops(models.build(name, entry, 10)) for name, entry in params.load().models.items()}
    found = {
        "flops_per_second": product(),
        "flops_per_image": work,
        "triad_bytes_per_second": moved,  # by number of parallel processes
    }
    print(json.dumps(found))


def product() -> float:
    """Measure the float32 operations per second of a matrix product on all cores, with AVX-512 allowed."""
    import tensorflow as tf

    matrix = tf.random.normal((SIDE, SIDE), seed=0)
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        tf.linalg.matmul(matrix, matrix).numpy()
        seconds.append(time.perf_counter() - started)
    return 2 * SIDE**3 / min(seconds)


def flops(model: Any) -> int:
    """Count the floating-point operations of training on one image.

    A multiply-add of the forward pass counts as two operations. In the backward pass, the gradient of the
    weights needs the same number, and so does the gradient of the layer's input, which the first layer skips.
    Activations, pooling, loss and optimizer are not counted.
    """
    from cifar10.evaluation import multiply_adds

    forward = [2 * count for layer in model.layers if (count := multiply_adds.of_layer(layer))]
    return 3 * sum(forward) - forward[0]


if __name__ == "__main__":
    main()
