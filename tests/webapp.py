"""The web service as a process, and what its answers are compared with."""

import contextlib
import csv
import functools
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import requests
from PIL import Image

from tests import recorder, servers
from tests.conftest import WARM

MODELS = ["model_0", "model_1", "model_2"]
SEEDS = (0, 1)
READY = 30_000  # milliseconds; TensorFlow's start takes 4 seconds, on a busy machine more

PAGE = ("-m", "cifar10.app")  # what `python` is called with
RUN = "import runpy; runpy.run_module('cifar10.app', run_name='__main__', alter_sys=True)"
RECORDED = ("-c", f"{recorder.CODE}\n{RUN}")  # as PAGE, with a record


@dataclass
class App:
    """A server that listens."""

    process: psutil.Popen
    port: int
    root: Path  # has its log, the record of what it did, and its folder for temporary files

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    @property
    def record(self):
        return recorder.read(self.root)

    def connections(self):
        """Connections of the server, which is not the process that was started: that one waits for a fork."""
        listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        (found,) = [each.pid for each in listening if each.laddr.port == self.port]
        return psutil.Process(found).net_connections()

    def classify(self, *files, **options):
        """Post (name, content) pairs."""
        return requests.post(
            f"{self.url}api/classify", files=[("files", file) for file in files], timeout=100, **options
        )


@contextlib.contextmanager
def running(clone, root, *options, start=PAGE, **own):
    """Run the server of a clone until the end of the block, as a fork (tests/warm.py).

    Args:
        clone: where it runs.
        root: of `App`.
        options: of the server.
        start: what Python is called with: PAGE, RECORDED or others.
        own: environment variables.
    """
    (root / "temporary").mkdir()
    port = servers.free_port()
    environment = {
        "TMPDIR": str(root / "temporary"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RECORD": str(root / "record"),
        **WARM,
        **own,
    }
    command = ["python", *start, "--port", str(port), *options]
    with servers.running(root / "log", *command, ports=[port], cwd=clone.root, **environment) as process:
        yield App(process, port, root)


def encoded(pixels, kind="PNG"):
    """Write a picture file, give its content."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


BLACK = encoded(np.zeros((32, 32, 3), np.uint8))


@functools.cache  # the tests ask for single rows, hundreds of times
def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def recorded_score(clone, name, index):
    """ID score of a model's ensemble for a test image, and its threshold, from what `evaluate` wrote."""
    known, test = recorded_scores(clone.root, name)
    return np.float32(test[index]), np.float32(np.quantile(known, 0.05, method="lower"))


@functools.cache
def recorded_scores(root, name):
    """ID scores of a model's ensemble for all validation and test images."""
    tables = [read_csv(root / f"reports/scores/{name}/seed_{seed}.csv") for seed in SEEDS]
    return [
        np.mean([[float(r["id_score"]) for r in rows if r["dataset"] == kind] for rows in tables], axis=0)
        for kind in ("validation", "test")
    ]


def recorded(clone, name, index):
    """Verdict and top three of a model's ensemble for a test image, from what `evaluate` wrote."""
    rows = [read_csv(clone.root / f"reports/predictions/{name}/seed_{seed}.csv")[index] for seed in SEEDS]
    labels = [key.removeprefix("probability_") for key in rows[0] if "_" in key]
    shares = {label: np.mean([float(row[f"probability_{label}"]) for row in rows]) for label in labels}
    metrics = json.loads((clone.root / f"reports/metrics/{name}.json").read_text())
    powers = {k: v ** (1 / metrics["ensemble"]["calibrated"]["temperature"]) for k, v in shares.items()}
    shares = {label: power / sum(powers.values()) for label, power in powers.items()}
    top = sorted(shares, key=shares.get, reverse=True)[:3]
    score, threshold = recorded_score(clone, name, index)
    verdict = top[0] if score >= threshold else "none of these"
    return [verdict, *(f"{name} {100 * shares[name]:.1f} %" for name in top)]


def upload(visit, files):
    """Choose files, given as their content by name, in one go; wait for an answer or a complaint for each."""
    before = visit.page.locator(".results .answer, .results .problem").count()
    visit.page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "", "buffer": content} for name, content in files.items()]
    )
    wait_for_answers(visit, before + len(files))


def wait_for_answers(visit, count):
    visit.page.locator(".results .answer, .results .problem").nth(count - 1).wait_for(timeout=READY)
