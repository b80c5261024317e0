"""`make watch`: the page shows the histories of the trainings as they grow."""

import re
import signal
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import WARM, Clone

pytestmark = pytest.mark.usefixtures("dvc")  # starts the server of warm programs

ROOT = Path.cwd()
HEAD = "epoch,loss,accuracy,val_loss,val_accuracy\n"


def read(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read().decode()


def test_the_page_shows_the_epochs_that_have_ended(tmp_path):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    process = Clone(tmp_path).start("python", str(ROOT / "scripts/watch.py"), "--port", "0", **WARM)
    url = re.search(r"http://\S+/", process.stdout.readline())[0]
    assert "No epoch has ended yet" in read(url)
    history = tmp_path / "reports/histories/model_1/seed_0.csv"
    history.parent.mkdir(parents=True)
    history.write_text(f"{HEAD}1,2.0,0.25,1.5,0.5\n")
    assert "model_1: 1 of 10 epochs; validation accuracy 50.0 %" in read(url)
    history.write_text(f"{HEAD}1,2.0,0.25,1.5,0.5\n2,1.0,0.5,1.25,0.625\n")
    history.with_name("seed_1.csv").write_text(f"{HEAD}1,2.0,0.25,,\n")  # without validation images
    assert "model_1: 2, 1 of 10 epochs; validation accuracy 62.5 %" in read(url)
    for name in ("accuracy", "loss"):
        assert ElementTree.fromstring(read(f"{url}{name}.svg")).tag.endswith("svg")
    process.send_signal(signal.SIGINT)
    assert process.communicate()[0] == ""
    assert process.returncode == 0
