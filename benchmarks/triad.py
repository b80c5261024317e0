"""Memory bandwidth as the triad of STREAM measures it, a = b + s*c, in NumPy.

STREAM (McCalpin, https://www.cs.virginia.edu/stream/ref.html) counts what the statement names: per element
two numbers read and one written. A cache line that is fetched before it is overwritten does not count. NumPy
has no single operation for the triad, so the arrays are done in blocks: the product goes into a block of a,
and the sum is taken while that block is in the cache. A compiled loop passes over a block once; on an AMD
EPYC (family 26) it reaches 1.2 times the figure.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import psutil

ELEMENTS = 2**26  # of each array, 268 MB; STREAM asks for four times the last-level cache
BLOCK = 2**17  # elements of each array, 0.5 MB
BYTES = 3 * np.dtype(np.float32).itemsize  # per element, as STREAM counts: 3 arrays of 4 bytes
SCALAR = np.float32(3)
TIMES = 10  # the best counts
PATIENCE = 120  # seconds that a process waits for the others

_shared: dict[str, Any] = {}  # the barrier, in a worker


def bandwidth(processes: int) -> float:
    """Measure the bytes per second that so many processes at once move, each on arrays of its own."""
    elements = size(processes, psutil.virtual_memory().available)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, initializer=_share, initargs=(barrier,)) as pool:
        spans = list(pool.map(repeat, [elements] * processes))
    return best(np.array(spans), processes * BYTES * elements)


def size(processes: int, available: int) -> int:
    """Choose the elements per array: ELEMENTS, or what lets all arrays fit into a quarter of the memory."""
    return min(ELEMENTS, available // 4 // (BYTES * processes))


def best(spans: np.ndarray, moved: int) -> float:
    """Divide the bytes of a repetition by the time of the fastest one, from the first start to the last end.

    Args:
        spans: float (processes, repetitions, 2), start and end in seconds on one clock.
        moved: bytes of all processes in a repetition.
    """
    return moved / float((spans[:, :, 1].max(axis=0) - spans[:, :, 0].min(axis=0)).min())


def repeat(elements: int) -> list[tuple[float, float]]:
    """Run the triad in a worker, each time together with the other workers; return starts and ends."""
    a, b, c = (np.full(elements, value, np.float32) for value in (0, 1, 2))
    spans = []
    for _ in range(TIMES):
        _shared["barrier"].wait(PATIENCE)
        started = time.perf_counter()  # system-wide
        triad(a, b, c)
        spans.append((started, time.perf_counter()))
    return spans


def triad(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    """Set a to b + SCALAR * c, block by block."""
    for start in range(0, len(a), BLOCK):
        block = slice(start, start + BLOCK)
        np.multiply(c[block], SCALAR, out=a[block])
        np.add(a[block], b[block], out=a[block])


def _share(barrier: Barrier) -> None:
    _shared["barrier"] = barrier
