"""`python -m cifar10.app` in a terminal."""

import resource
import shutil
import signal
import socket
import subprocess

import requests

from tests import browser
from tests.conftest import ENVIRONMENT, WARM, heed_ctrl_c
from tests.webapp import BLACK, READY, SEEDS


def test_without_a_model_the_page_says_what_to_run_and_ctrl_c_ends_it(workspace, chromium, tmp_path):
    for seed in SEEDS:
        (workspace.root / f"models/model_1/seed_{seed}.h5").unlink()
    (tmp_path / "temporary").mkdir()
    # TensorFlow writes modules to TMPDIR and imports them; without bytecode, nothing of them stays
    own = {"TMPDIR": str(tmp_path / "temporary"), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        ["python", "-m", "cifar10.app", "--port", "0"],
        cwd=workspace.root,
        env=ENVIRONMENT | WARM | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    try:
        url = process.stdout.readline().split()[1]
        page = browser.Visit(chromium, url).page
        page.get_by_text("cannot answer yet").wait_for(timeout=READY)
        said = (
            "expected the seeds 0, 1 of each model in models, found model_0: 0, 1; model_1: none; "
            "model_2: 0, 1: run `make pull` or `dvc repro` for the others"
        )
        assert said in page.locator(".about").inner_text()
        reply = requests.get(f"{url}api/models", timeout=30)
        assert (reply.status_code, reply.json()) == (503, {"detail": said})
        assert requests.get(f"{url}healthz", timeout=30).status_code == 200
        picture = {"name": "any.png", "mimeType": "", "buffer": BLACK}
        page.locator("input[type=file]").set_input_files([picture])
        page.locator(".results .problem").wait_for(timeout=READY)
        assert page.locator(".results .problem").inner_text() == said

        link = page.get_by_role("link", name="Mistakes on test images")
        assert link.count() == 1
        shutil.rmtree(workspace.root / "reports/predictions")
        page.reload()
        page.get_by_text("cannot answer yet").wait_for(timeout=READY)
        assert link.count() == 0
        page.goto(f"{url}mistakes")
        absent = "reports/predictions/model_0/seed_0.csv not found: run `dvc repro` to make it"
        assert page.locator(".problem").all_inner_texts() == [f"No mistakes to show: {absent}"]
        listed = requests.get(f"{url}api/mistakes?model=model_0&class=zero", timeout=30)
        assert (listed.status_code, listed.json()) == (503, {"detail": absent})
        page.goto(url)

        workspace.run("dvc", "checkout", "--quiet")
        page.locator("input[type=file]").set_input_files([picture])
        page.locator(".results .answer").wait_for(timeout=READY)
        assert page.locator(".results .answer .model").count() == 3
        page.reload()
        page.get_by_text("3 models: model_0, model_1, model_2").wait_for(timeout=READY)
        head = workspace.run("git", "rev-parse", "--short", "HEAD").strip()
        assert (
            f"scikit-learn's handwritten digits, as of git revision {head}."
            in page.locator(".about").inner_text()
        )
        (workspace.root / "dvc.lock").write_text("stages: {}\n")
        page.reload()
        page.get_by_text("not known whether the models fit").wait_for(timeout=READY)
        assert requests.get(f"{url}api/models", timeout=30).json()["changed"] is None

        process.send_signal(signal.SIGINT)  # with the page still open
        output, messages = process.communicate(timeout=20)
        assert (process.returncode, output, messages) == (130, "", "stopped\n")
        assert list((tmp_path / "temporary").iterdir()) == []
    finally:
        process.kill()


def test_a_seed_that_was_not_trained_is_one_line(finished):
    printed = finished.run("python", "-m", "cifar10.app", "--port", "0", "--seed", "7", expect=2)
    assert printed == "error: params.yaml: train.seeds: got '7', expected one of 0, 1\n"


def test_a_port_in_use_is_one_line(finished):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        printed = finished.run("python", "-m", "cifar10.app", "--port", str(port), expect=2)
    assert printed == (
        f"error: cannot listen on 127.0.0.1 port {port}: something listens there already; "
        "name another port with --port, or --port 0\n"
    )
    assert "expected a number" in finished.run("python", "-m", "cifar10.app", "--port", "70000", expect=2)
    assert "such as /cifar10" in finished.run("python", "-m", "cifar10.app", "--root-path", "a b", expect=2)


def test_without_fastapi_it_says_what_installs_it(finished):
    hidden = "import sys; sys.modules['fastapi'] = None; import runpy; sys.argv[1:] = []; "
    code = f"{hidden}runpy.run_module('cifar10.app', run_name='__main__', alter_sys=True)"
    printed = finished.run("python", "-c", code, expect=2)
    assert printed.startswith("error: the page needs fastapi, not installed here: run `make app`, which")
    assert len(printed.splitlines()) == 1


def test_help_is_quick_and_loads_nothing_large(finished):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = finished.run("python", "-X", "importtime", "-m", "cifar10.app", "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5
    assert "usage: cifar10-page" in printed
    assert not any(f" {name}\n" in printed for name in ("tensorflow", "fastapi", "numpy", "pandas"))
