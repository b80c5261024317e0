"""The page as a person uses it, in a real browser, on models of the digits."""

import csv
import io
import json
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
from PIL import Image

from cifar10.data import images
from tests import browser, servers
from tests.conftest import ENVIRONMENT, heed_ctrl_c

MODELS = ["model_0", "model_1", "model_2"]
HOSTILE = "<img src=x onerror=window.owned=1>${window.owned=1}{{owned}}\u202e.png"
READY = 30_000  # milliseconds; TensorFlow's start takes 4 seconds, on a busy machine more

# Python calls this before all else: it writes down every address that the process looks up or connects to.
RECORDER = """
import os, sys
def record(event, arguments):
    if event in ("socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendto"):
        address = arguments[0] if event == "socket.getaddrinfo" else arguments[-1]
        with open(os.environ["RECORD"], "a") as file:
            print(event, address, file=file)
sys.addaudithook(record)
"""


@dataclass
class App:
    """The page's server."""

    process: psutil.Popen
    port: int
    temporary: Path
    record: Path

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture(scope="module")
def chromium():
    with browser.started() as found:
        yield found


@pytest.fixture(scope="module")
def app(finished, tmp_path_factory):
    pytest.importorskip("gradio", reason="gradio is not installed: pip install -e '.[app]'")
    root = tmp_path_factory.mktemp("app")
    (root / "temporary").mkdir()
    (root / "hook").mkdir()
    (root / "hook/sitecustomize.py").write_text(RECORDER)
    port = servers.free_port()
    environment = {
        "TMPDIR": str(root / "temporary"),
        "PYTHONPATH": str(root / "hook"),
        "RECORD": str(root / "record"),
    }
    command = [sys.executable, "-m", "cifar10.app", "--port", str(port)]
    with servers.running(root / "log", *command, ports=[port], cwd=finished.root, **environment) as process:
        yield App(process, port, root / "temporary", root / "record")


@pytest.fixture
def visit(app, chromium):
    """The page, once it knows the models."""
    visited = browser.Visit(chromium, app.url)
    visited.page.get_by_text("3 models: model_0, model_1, model_2").wait_for(timeout=READY)
    yield visited
    visited.context.close()


def png(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def upload(visit, files):
    """Choose files, given as their content by name, in one go; wait for an answer or a complaint for each."""
    before = visit.page.locator(".results .answer, .results .problem").count()
    visit.page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "", "buffer": content} for name, content in files.items()]
    )
    wait_for_answers(visit, before + len(files))


def wait_for_answers(visit, count):
    visit.page.locator(".results .answer, .results .problem").nth(count - 1).wait_for(timeout=READY)


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def recorded(finished, name, index):
    """Verdict and top three of a model for a test image, from what `evaluate` wrote."""
    row = read_csv(finished.root / f"reports/predictions/{name}.csv")[index]
    shares = {key.removeprefix("probability_"): float(value) for key, value in row.items() if "_" in key}
    top = sorted(shares, key=shares.get, reverse=True)[:3]
    novelty = json.loads((finished.root / f"reports/ood/{name}.json").read_text())
    scores = [float(row["score"]) for row in read_csv(finished.root / f"reports/scores/{name}.csv")
              if row["kind"] == "test"]  # fmt: skip
    threshold = np.float32(novelty["scores"][novelty["score"]]["threshold"])
    verdict = row["predicted"] if np.float32(scores[index]) >= threshold else "none of these"
    return [verdict, *(f"{name} {100 * shares[name]:.1f} %" for name in top)]


def answers(card):
    """What an answer on the page says, by model, in the words of `recorded`."""
    found = {}
    for section in card.locator(".model").all():
        bars = section.locator(".bars").first.locator("li").all()
        said = [bar.inner_text().replace("\n", " ").replace("\u00a0", " ") for bar in bars]
        found[section.get_attribute("data-model")] = [section.locator(".verdict").inner_text(), *said]
    return found


def test_test_images_get_the_recorded_answers_and_nothing_leaves_the_machine(finished, app, visit):
    pictures = np.load(finished.root / "data/processed/test/images.npy")
    labels = np.load(finished.root / "data/processed/test/labels.npy")
    chosen = [int(np.argmax(labels == label)) for label in range(10)]
    files = {f"{index}.png": png(pictures[index]) for index in chosen}
    bomb = io.BytesIO()
    Image.new("1", (9_500, 9_500)).save(bomb, "PNG")
    others = {"note.txt": b"no picture", "empty.png": b"", "bomb.png": bomb.getvalue(), HOSTILE: b"none"}
    named = [*files.items()]
    upload(visit, dict([*named[:3], *others.items(), *named[3:]]))

    cards = visit.page.locator(".answer").all()
    assert [card.get_attribute("aria-label") for card in cards] == [*files]
    for index, card in zip(chosen, cards, strict=True):
        assert answers(card) == {name: recorded(finished, name, index) for name in MODELS}
    assert visit.page.locator(".results .problem").all_inner_texts() == [
        "note.txt: not a picture in a known format",
        "empty.png: the file is empty",
        f"bomb.png: more than {images.MAX_PIXELS:,} pixels",
        HOSTILE.replace("\u202e", "\\u202e") + ": not a picture in a known format",
    ]
    upload(visit, {HOSTILE: png(pictures[0])})
    assert visit.page.locator(".answer").first.get_attribute("aria-label").startswith("<img src=x")
    assert visit.page.evaluate("window.owned") is None
    assert visit.page.locator(".results img:not([src^='data:image/png'])").count() == 0

    assert visit.complaints == []
    assert visit.hosts == {f"127.0.0.1:{app.port}"}
    kept = [path.name for path in app.temporary.rglob("*") if path.is_file()]
    assert [name for name in kept if not name.startswith("__autograph_generated")] == []  # TensorFlow's code


def test_the_server_asks_nobody(app, visit):
    events = app.record.read_text().splitlines()
    assert [event for event in events if not event.startswith("socket.bind")] == []
    assert any(event.startswith("socket.bind ('127.0.0.1',") for event in events)  # the record is kept
    connections = app.process.net_connections()
    assert {connection.laddr.ip for connection in connections} == {"127.0.0.1"}
    assert {connection.raddr.ip for connection in connections if connection.raddr} <= {"127.0.0.1"}


def test_a_huge_file_is_named_and_the_others_are_answered(finished, visit, tmp_path):
    (tmp_path / "huge.png").touch()
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(40_000_001)
    (tmp_path / "good.png").write_bytes(png(np.zeros((32, 32, 3), np.uint8)))
    visit.page.locator("input[type=file]").set_input_files([tmp_path / "huge.png", tmp_path / "good.png"])
    wait_for_answers(visit, 2)
    assert visit.page.locator(".results .problem").inner_text() == "huge.png: more than 40 MB"
    assert visit.page.locator(".answer").get_attribute("aria-label") == "good.png"


def test_pictures_are_dropped_pasted_photographed_and_chosen_from_examples(finished, visit):
    picture = np.load(finished.root / "data/processed/test/images.npy")[0]
    page = visit.page
    page.evaluate(
        """bytes => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
            document.querySelector(".drop").dispatchEvent(
                new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
        }""",
        [*png(picture)],
    )
    wait_for_answers(visit, 1)
    dropped = answers(page.locator(".answer").first)
    assert dropped == {name: recorded(finished, name, 0) for name in MODELS}

    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async bytes => navigator.clipboard.write(
            [new ClipboardItem({"image/png": new Blob([new Uint8Array(bytes)], {type: "image/png"})})])""",
        [*png(picture)],
    )
    page.keyboard.press("Control+V")
    wait_for_answers(visit, 2)
    assert answers(page.locator(".answer").first) == dropped

    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function("document.querySelector('video').videoWidth > 0")
    page.get_by_role("button", name="Take this picture").click()
    wait_for_answers(visit, 3)
    assert page.locator(".answer").first.get_attribute("aria-label") == "camera.png"
    assert page.evaluate("document.querySelector('video').srcObject") is None

    first = int(np.argmax(np.load(finished.root / "data/processed/test/labels.npy") == 0))
    page.get_by_role("button", name="zero").click()
    wait_for_answers(visit, 4)
    assert answers(page.locator(".answer").first) == {
        name: recorded(finished, name, first) for name in MODELS
    }
    page.get_by_role("button", name="astronaut").click()
    wait_for_answers(visit, 5)
    assert page.locator(".answer").first.get_attribute("aria-label") == "astronaut.png"
    assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_is_legible(app, chromium, scheme):
    visited = browser.Visit(chromium, app.url, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    visited.page.locator(".examples button").first.wait_for(timeout=READY)
    upload(visited, {f"{'long' * 40}.png": png(np.zeros((32, 32, 3), np.uint8)), "x" * 200: b"none"})
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    assert visited.page.evaluate(widths) == [320, 320]
    colours = "(e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor])"
    text, ground = visited.page.locator(".about h1").evaluate(colours)
    assert contrast(text, ground) > 7
    soft, _ = visited.page.locator("footer.soft").evaluate(colours)
    assert contrast(soft, ground) > 4.5
    assert (luminance(ground) > 0.5) == (scheme == "light")
    unnamed = "document.querySelectorAll('.ask button, .ask input, .ask img, .ask video')"
    names = visited.page.evaluate(
        f"[...{unnamed}].map(e => e.ariaLabel ?? e.getAttribute('alt') ?? e.textContent)"
    )
    assert all(name is not None for name in names)
    visited.context.close()


def luminance(colour):
    """Relative luminance of `rgb(r, g, b)`, as WCAG 2 defines it."""
    values = [int(value) / 255 for value in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "gradio_api/file=/etc/hostname", 404),
        ("GET", "gradio_api/proxy=http://example.org", 404),
        ("POST", "gradio_api/upload", 404),
        ("POST", "gradio_api/queue/join", 404),
        ("GET", "docs", 404),
        ("PUT", "", 404),
        ("POST", "gradio_api/component_server", 415),
    ],
    ids=["file", "proxy", "upload", "queue", "docs", "put", "form"],
)
def test_what_the_page_does_not_need_is_refused(app, method, path, status):
    reply = requests.request(method, app.url + path, files={"files": b"x"} if method == "POST" else None)
    assert reply.status_code == status
    assert "default-src 'self'" in reply.headers["content-security-policy"]


def test_a_request_that_is_too_long_is_not_read(app):
    form = {"content-type": "application/json"}
    url = f"{app.url}gradio_api/component_server"
    assert requests.post(url, data=iter([b"{}"]), headers=form).status_code == 411
    with servers.socket.create_connection(("127.0.0.1", app.port)) as client:
        client.sendall(
            b"POST /gradio_api/component_server HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 999999999\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_without_a_model_the_page_says_what_to_run_and_ctrl_c_ends_it(workspace, chromium, tmp_path):
    (workspace.root / "models/model_1.h5").unlink()
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-m", "cifar10.app", "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=workspace.root,
        env=ENVIRONMENT | {"TMPDIR": str(tmp_path / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    try:
        url = process.stdout.readline().split()[1]
        visited = browser.Visit(chromium, url)
        page = visited.page
        page.get_by_text("cannot be asked yet").wait_for(timeout=READY)
        said = "models/model_1.h5 not found: `dvc pull models/model_1.h5` fetches it, `dvc repro` trains it"
        assert said in page.locator(".about").inner_text()
        upload(visited, {"any.png": png(np.zeros((32, 32, 3), np.uint8))})
        assert page.locator(".results .problem").inner_text() == said

        workspace.run("dvc", "checkout", "--quiet")
        upload(visited, {"any.png": png(np.zeros((32, 32, 3), np.uint8))})
        assert page.locator(".results .answer .model").count() == 3
        page.reload()
        page.get_by_text("3 models: model_0, model_1, model_2").wait_for(timeout=READY)
        head = workspace.run("git", "rev-parse", "--short", "HEAD").strip()
        assert (
            f"scikit-learn's handwritten digits, as of git revision {head}."
            in page.locator(".about").inner_text()
        )

        process.send_signal(signal.SIGINT)  # with the page still open
        output, messages = process.communicate(timeout=20)
        assert (process.returncode, output, messages) == (130, "", "stopped\n")
        assert list((tmp_path / "temporary").iterdir()) == []
    finally:
        process.kill()


def test_a_port_in_use_is_one_line(app, finished):
    printed = finished.run("python", "-m", "cifar10.app", "--port", str(app.port), expect=2)
    assert printed == (
        f"error: cannot listen on 127.0.0.1 port {app.port}: something listens there already; "
        "name another port with --port, or --port 0\n"
    )
    assert "expected a number" in finished.run("python", "-m", "cifar10.app", "--port", "70000", expect=2)


def test_without_gradio_it_says_what_installs_it(finished):
    hidden = "import sys; sys.modules['gradio'] = None; import runpy; sys.argv[1:] = []; "
    code = f"{hidden}runpy.run_module('cifar10.app', run_name='__main__', alter_sys=True)"
    printed = finished.run("python", "-c", code, expect=2)
    assert printed.startswith("error: the page needs gradio, which is not installed: `make app` installs it")
    assert len(printed.splitlines()) == 1


def test_help_is_quick_and_loads_nothing_large(finished):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = finished.run("python", "-X", "importtime", "-m", "cifar10.app", "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5
    assert "usage: python -m cifar10.app" in printed
    assert not any(f" {name}\n" in printed for name in ("tensorflow", "gradio", "numpy", "pandas"))
