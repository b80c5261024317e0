"""Measure the web service under load, next to one run of `cifar10-classify` on the same pictures.

CLIENTS clients at once send PICTURES test images each over loopback, one per request, to the trained models.
CLIENTS and PICTURES in the environment: default 8 and 200. Writes reports/serve.json and .md.
"""

import argparse
import http.client
import io
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.record import record
from benchmarks.run import environment, number
from benchmarks.text import where
from benchmarks.timing import timed
from cifar10 import errors, machine, params, paths
from cifar10.data import dataset

if TYPE_CHECKING:
    import numpy as np

STEM = paths.REPORTS / "serve"
HEADERS = {"Content-Type": "multipart/form-data; boundary=b"}


def main() -> None:
    """Measure, write the outcome."""
    form = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=form).parse_args()
    clients, pictures = number("CLIENTS", 8), number("PICTURES", 200)
    chosen, images = params.load(), dataset.load("test").images
    contents = [png(images[index % len(images)]) for index in range(clients * pictures)]
    report = {
        "machine": machine.describe(),
        "models": [*chosen.models],
        "seeds": chosen.train.seeds,
        "clients": clients,
        "pictures": pictures,
        **served(contents, clients),
        "classify_seconds": classified(contents),
    }
    record(STEM, report, markdown(report))


def png(image: "np.ndarray") -> bytes:
    """Write uint8 (H, W, 3) as a PNG file."""
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def served(contents: Sequence[bytes], clients: int) -> dict[str, Any]:
    """Start the server, let it load the models, put it under load, stop it."""
    command = [sys.executable, "-m", "cifar10.app", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as server:
        try:
            assert server.stdout is not None  # noqa: S101  (a pipe was asked for)
            address = server.stdout.readline().split()[1]
            port = int(address.rpartition(":")[2].strip("/"))
            load(port, contents[:1], 1)
            return load(port, contents, clients)
        finally:
            server.terminate()


def load(port: int, contents: Sequence[bytes], clients: int) -> dict[str, Any]:
    """Send pictures from several clients at once.

    Args:
        port: of the server on 127.0.0.1.
        contents: of PNG files; each client sends an equal share.
        clients: number of them, each with a connection of its own.

    Returns:
        `seconds` from the first request to the last answer; `lost`, the number of pictures without an answer;
        `p50_seconds` and `p99_seconds` from a request to its answer.
    """
    shares = [contents[client::clients] for client in range(clients)]
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = sorted(
            seconds for part in pool.map(lambda share: ask(port, share), shares) for seconds in part
        )
    return {
        "seconds": time.perf_counter() - start,
        "lost": len(contents) - len(found),
        "p50_seconds": percentile(found, 50),
        "p99_seconds": percentile(found, 99),
    }


def percentile(ascending: Sequence[float], percent: int) -> float | None:
    """Give the smallest value that `percent` of the values do not exceed; None without values."""
    return ascending[math.ceil(len(ascending) * percent / 100) - 1] if ascending else None


def ask(port: int, contents: Sequence[bytes]) -> list[float]:
    """Send pictures one after the other; give the seconds that each answer took, none for a lost one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    seconds = []
    for content in contents:
        start = time.perf_counter()
        try:
            connection.request("POST", "/api/classify", body(content), HEADERS)
            reply = connection.getresponse()
            answer = json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()  # the next request opens it again
            continue
        if reply.status == 200 and len(answer["images"]) == 1:
            seconds.append(time.perf_counter() - start)
    connection.close()
    return seconds


def body(content: bytes) -> bytes:
    """Encode a request with one file."""
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    return head + content + b"\r\n--b--\r\n"


def classified(contents: Sequence[bytes]) -> float:
    """Time `cifar10-classify` on the same pictures as files, in seconds from start to exit."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for index, content in enumerate(contents):
            (Path(folder) / f"{index:05d}.png").write_bytes(content)
        command = [sys.executable, "-m", "cifar10.predict", "--json", folder]
        return timed(command, Path.cwd(), environment()).seconds


def markdown(report: dict[str, Any]) -> str:
    """Put it into sentences."""
    total = report["clients"] * report["pictures"]
    p50, p99 = (1000 * report[f"{name}_seconds"] for name in ("p50", "p99"))
    return (
        "# The web service under load\n\n"
        f"{report['clients']} clients at once send {report['pictures']:,} pictures each over loopback, one "
        f"per request, to {len(report['models'])} models of {len(report['seeds'])} trainings each: "
        f"{total:,} pictures in {report['seconds']:.1f} s ({total / report['seconds']:,.0f} per second), "
        f"{report['lost']:,} lost. Time to an answer: p50 {p50:.0f} ms, p99 {p99:.0f} ms. Clients and server "
        f"share the machine. One run of `cifar10-classify` on the same {total:,} files takes "
        f"{report['classify_seconds']:.1f} s from start to exit. Measured on {where(report['machine'])}.\n"
    )


if __name__ == "__main__":
    errors.run(main)
