"""Time the reading of pictures for `data.source: folder` with one thread and with several.

The pictures are drawn: JPEG photographs of 640x480 pixels. All numbers of threads must give the same bytes.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors
from cifar10.data import folder

# isort: split
import numpy as np
from PIL import Image

PICTURES, SIZE, ROUNDS = 400, (128, 128), 3


def main() -> None:
    """Write the pictures, read them with each number of threads in turn, print the best times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    threads = parser.parse_args().threads
    with tempfile.TemporaryDirectory() as place:
        draw(Path(place))
        listing = folder.find(Path(place))
        taken: dict[int, list[float]] = {number: [] for number in threads}
        contents = set()
        for _ in range(ROUNDS):
            for number in threads:
                started = time.perf_counter()
                read = folder.read(listing, SIZE, number)
                taken[number].append(time.perf_counter() - started)
                contents.add(read.train_images.tobytes() + read.test_images.tobytes())
    if len(contents) != 1:
        raise errors.UserError("the bytes depend on the number of threads")
    for number, times in taken.items():
        rate, factor = PICTURES / min(times), min(taken[threads[0]]) / min(times)
        print(f"{number} threads: {rate:,.0f} pictures per second, {factor:.2f} times {threads[0]}")


def draw(place: Path) -> None:
    """Write two classes of smooth random pictures with some noise."""
    random = np.random.default_rng(0)
    for number in range(PICTURES):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8)).resize((640, 480))
        noisy = np.asarray(coarse) + random.integers(-20, 21, (480, 640, 1))
        path = place / ("test" if number % 4 == 0 else "train") / f"class {number // 4 % 2}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(path, quality=90)


if __name__ == "__main__":
    errors.run(main)
