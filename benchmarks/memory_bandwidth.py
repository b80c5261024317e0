"""Measure the memory bandwidth with the triad of STREAM, a = b + s*c, in NumPy.

STREAM (McCalpin, https://www.cs.virginia.edu/stream/ref.html) counts two numbers read and one written per
element; fetching a cache line before it is overwritten does not count. NumPy has no single operation for the
triad. The arrays are therefore processed in blocks: the product is written to a block of a, and the sum is
computed while that block is in the cache. A compiled loop needs one pass per block and reaches 1.2 times
this bandwidth on an AMD EPYC (family 26).
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import psutil

ELEMENTS = 2**26  # per array, 268 MB; STREAM requires four times the last-level cache
BLOCK = 2**17  # elements per array, 0.5 MB
BYTES = 3 * np.dtype(np.float32).itemsize  # per element, as STREAM counts: 3 arrays of 4 bytes
SCALAR = np.float32(3)
TIMES = 10  # repetitions; the fastest counts
PATIENCE = 120  # seconds to wait for the other processes

_shared: dict[str, Any] = {}  # the barrier, in a worker


def bandwidth(processes: int) -> float:
    """Measure the total bytes per second of parallel processes, each with its own arrays."""
    elements = size(processes, psutil.virtual_memory().available)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, initializer=_share, initargs=(barrier,)) as pool:
        spans = list(pool.map(repeat, [elements] * processes))
    return best(np.array(spans), processes * BYTES * elements)


def size(processes: int, available: int) -> int:
    """Return the elements per array: ELEMENTS, or fewer if all arrays exceed a quarter of the memory."""
    return min(ELEMENTS, available // 4 // (BYTES * processes))


def best(spans: np.ndarray, moved: int) -> float:
    """Return the bytes per second of the fastest repetition, from its first start to its last end.

    Args:
        spans: float (processes, repetitions, 2), start and end in seconds on a common clock.
        moved: bytes per repetition, all processes together.
    """
    return moved / float((spans[:, :, 1].max(axis=0) - spans[:, :, 0].min(axis=0)).min())


def repeat(elements: int) -> list[tuple[float, float]]:
    """Run the triad in a worker, in step with the other workers; return start and end of each repetition."""
    a, b, c = (np.full(elements, value, np.float32) for value in (0, 1, 2))
    spans = []
    for _ in range(TIMES):
        _shared["barrier"].wait(PATIENCE)
        started = time.perf_counter()  # system-wide clock
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
