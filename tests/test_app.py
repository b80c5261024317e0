"""The page in a real browser: answers as they were recorded, nothing sent away, nothing kept."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.conftest import ENVIRONMENT, heed_ctrl_c
from tests.servers import free_port, wait_for

CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--no-first-run", "--disable-default-apps"]
MODELS = ["model_0", "model_1", "model_2"]
pytestmark = pytest.mark.timeout(240)


class App:
    """The page as `python -m cifar10.app` serves it, and the folder that it keeps uploads in."""

    def __init__(self, root, folder, *options):
        self.port, self.log, self.folder = free_port(), folder / "app.log", folder / "tmp"
        self.folder.mkdir()
        self.url = f"http://127.0.0.1:{self.port}"
        with self.log.open("w") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", "cifar10.app", "--port", str(self.port), *options],
                cwd=root,
                env={**ENVIRONMENT, "TMPDIR": str(self.folder)},
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=heed_ctrl_c,
            )
        wait_for(lambda: "the page: http" in self.log.read_text(), self.process, self.log, seconds=60)

    def kept(self):
        """What lies in the folders for uploads: content of files by name."""
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}

    def addresses(self):
        """Where the server is connected to."""
        return {c.raddr.ip for c in self.process.net_connections(kind="inet") if c.raddr}

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@pytest.fixture(scope="module")
def browser():
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test")
    if not CHROMIUM:
        pytest.skip("no Chromium: scripts/install-test-servers")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def app(finished, tmp_path_factory):
    pytest.importorskip("gradio", reason="gradio is not installed: make test")
    app = App(finished.root, tmp_path_factory.mktemp("app"))
    yield app
    app.stop()


@pytest.fixture
def page(browser, app):
    """The page, opened; `page.asked` lists the addresses of all that it loads."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda socket: page.asked.append(socket.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(app.url)
    page.wait_for_selector(".about h1")
    yield page
    page.close()


def one_of_each_class(finished, folder):
    """Save the first test image of each class as PNG: paths by its index among the test images."""
    labels = np.load(finished.root / "data/processed/test/labels.npy")
    images = np.load(finished.root / "data/processed/test/images.npy")
    chosen = {int(np.argmax(labels == label)): folder / f"digit-{label}.png" for label in np.unique(labels)}
    for index, path in chosen.items():
        Image.fromarray(images[index]).save(path)
    return chosen


def answers(page, count):
    """Read the answers off the page: per picture its name and, per model, the verdict and the bars."""
    page.wait_for_function(f"document.querySelectorAll('.answer').length == {count}")
    return [
        (
            article.query_selector("figcaption").inner_text(),
            {
                section.query_selector("h3").inner_text(): (
                    section.query_selector(".verdict").inner_text(),
                    [item.inner_text().split("\n") for item in section.query_selector_all("li")],
                )
                for section in article.query_selector_all(".model")
            },
        )
        for article in page.query_selector_all(".answer")
    ]


def test_uploads_are_answered_as_they_were_recorded(app, page, finished, tmp_path):
    chosen = one_of_each_class(finished, tmp_path)
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    page.set_input_files("input[type=file]", [*chosen.values(), text])
    found = dict(answers(page, len(chosen)))
    assert [line.inner_text() for line in page.query_selector_all(".refused")] == [
        "notes.png: no picture of a known format"
    ]
    for name in MODELS:
        with (finished.root / f"reports/predictions/{name}.csv").open() as file:
            recorded = list(csv.DictReader(file))
        for index, path in chosen.items():
            verdict, bars = found[path.name][name]
            row = recorded[index]
            assert bars[0][0] == row["predicted"]
            for label, share in bars:
                assert float(share.split()[0]) == pytest.approx(
                    100 * float(row[f"probability_{label}"]), abs=0.051
                )
            assert verdict in (row["predicted"], "none of these")
    assert page.query_selector(".answer img").evaluate("image => image.naturalWidth") == 32
    assert all(re.match(rf"(http|ws)://127\.0\.0\.1:{app.port}/|data:|blob:", url) for url in page.asked)
    assert len(page.asked) > 10
    assert app.addresses() <= {"127.0.0.1"}
    contents = {path.read_bytes() for path in [*chosen.values(), text]}
    assert contents.isdisjoint(app.kept().values())


def test_an_example_is_answered(page):
    page.get_by_role("tab", name="Examples").click()
    page.locator("#examples button").last.click()
    ((name, found),) = answers(page, 1)
    assert name == "a person"
    assert [*found] == MODELS


def test_a_name_is_text_and_nothing_else(page, finished, tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>${alert(2)}.png"
    Image.new("RGB", (40, 40), "red").save(path)
    page.set_input_files("input[type=file]", [path])
    ((name, _),) = answers(page, 1)
    assert "alert" in name
    assert len(page.query_selector_all("figure img")) == 1


def test_a_file_over_the_limit_is_refused_and_the_page_goes_on(page, tmp_path):
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(21_000_000))
    Image.new("RGB", (9000, 6000)).save(tmp_path / "many-pixels.png")
    page.set_input_files("input[type=file]", [tmp_path / "large.png"])
    page.get_by_text(re.compile("exceed", re.IGNORECASE)).first.wait_for()
    page.reload()
    page.wait_for_selector(".about h1")
    page.set_input_files("input[type=file]", [tmp_path / "many-pixels.png"])
    page.wait_for_selector(".refused")
    assert "more than 50,000,000 pixels" in page.query_selector(".refused").inner_text()


def test_the_page_says_where_its_models_come_from(page, finished):
    text = page.query_selector(".about").inner_text()
    assert "scikit-learn's handwritten digits" in text
    assert finished.run("git", "rev-parse", "--short", "HEAD").strip() in text
    assert page.query_selector(".warning") is None


def test_nothing_is_cut_off_on_a_telephone(browser, app, finished, tmp_path):
    page = browser.new_page(viewport={"width": 375, "height": 700}, color_scheme="dark")
    page.goto(app.url)
    page.wait_for_selector(".about h1")
    page.set_input_files("input[type=file]", [*one_of_each_class(finished, tmp_path).values()][:2])
    answers(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.close()


def test_missing_models_say_what_to_run_and_are_used_once_they_are_there(browser, workspace, tmp_path):
    model = workspace.root / "models/model_1.h5"
    model.rename(tmp_path / "away")
    shutil.copy(workspace.root / "models/model_2.h5", workspace.root / "models/model_0.h5")
    (tmp_path / "app").mkdir()
    app = App(workspace.root, tmp_path / "app")
    page = browser.new_page()
    page.goto(app.url)
    page.wait_for_selector(".refused")
    assert "`dvc repro` trains it" in page.query_selector(".refused").inner_text()
    (workspace.root / "models/model_0.h5").unlink()
    workspace.run("dvc", "checkout")
    page.reload()
    page.wait_for_selector(".about h1")
    assert page.query_selector(".refused") is None
    page.close()
    assert app.stop() == 0
    assert not app.kept()
    assert "Traceback" not in app.log.read_text()


def test_a_port_in_use_is_a_users_mistake(app, finished):
    printed = finished.run("python", "-m", "cifar10.app", "--port", str(app.port), expect=2)
    assert f"cannot listen on 127.0.0.1, port {app.port}" in printed
    assert "Traceback" not in printed


def test_help_is_quick_and_loads_no_tensorflow(finished):
    printed = finished.run("python", "-X", "importtime", "-m", "cifar10.app", "--help")
    assert "--host" in printed
    assert not re.search(r" (tensorflow|gradio|numpy)\n", printed)
