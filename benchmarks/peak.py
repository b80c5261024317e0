"""The machine's float32 peak, as a large matrix product reaches it, and the work that an image is."""

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params, startup

SIDE = 3000  # of the matrices
TIMES = 15  # the best counts: nothing makes a product faster than the machine is


def main() -> None:
    """Print both as JSON."""
    with startup.tensorflow():
        import tensorflow as tf

        from cifar10 import models

    matrix = tf.random.normal((SIDE, SIDE), seed=0)
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        tf.linalg.matmul(matrix, matrix).numpy()
        seconds.append(time.perf_counter() - started)
    work = {name: flops(models.build(name, entry, 10)) for name, entry in params.load().models.items()}
    print(json.dumps({"flops_per_second": 2 * SIDE**3 / min(seconds), "flops_per_image": work}))


def flops(model: Any) -> int:
    """Count the floating-point operations of training on one image.

    A multiplication and an addition per weight and place in the forward pass; the backward pass costs the
    same for the gradient of the weights and again for that of the layer's input, which the first layer does
    without. Activations, pooling, loss and optimizer are not counted.
    """
    forward = [
        2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if hasattr(layer, "kernel")
    ]
    return 3 * sum(forward) - forward[0]


if __name__ == "__main__":
    main()
