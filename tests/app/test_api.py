"""The HTTP API: its answers."""

import base64
import io
import json
import re
import subprocess
import sys
import threading

import numpy as np
import requests
from PIL import Image

from benchmarks import serve
from cifar10.evaluation import explanations, saliency
from tests.conftest import ENVIRONMENT, WARM
from tests.webapp import BLACK, MODELS, encoded


def pictures(finished):
    """Ten test images, and photographs of other sizes, modes and formats."""
    test = np.load(finished.root / "data/processed/test/images.npy")[:10]
    ramp = np.arange(120 * 90, dtype=np.uint32).reshape(90, 120)
    more = {
        "grey.png": (ramp // 64).astype(np.uint8),
        "photo.jpg": np.dstack([ramp % 256] * 3).astype(np.uint8),
    }
    found = {f"{index}.png": encoded(picture) for index, picture in enumerate(test)}
    return found | {
        name: encoded(pixels, "JPEG" if "jpg" in name else "PNG") for name, pixels in more.items()
    }


def test_the_answers_are_those_of_classify_json_byte_for_byte(finished, app, tmp_path):
    files = {str(tmp_path / name): content for name, content in pictures(finished).items()}
    files[str(tmp_path / "note.txt")] = b"no picture"
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    command = ["python", "-m", "cifar10.predict", "--json", *files]
    done = subprocess.run(
        command, cwd=finished.root, env=ENVIRONMENT | WARM, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1  # for note.txt
    reply = app.classify(*files.items())
    assert reply.status_code == 200
    assert json.dumps(reply.json(), indent=2, ensure_ascii=False) + "\n" == done.stdout


def test_the_answer_to_a_picture_does_not_depend_on_requests_at_the_same_time(finished, app):
    files = pictures(finished)
    expected = {image["image"]: image["answers"] for image in app.classify(*files.items()).json()["images"]}
    found = {}

    def ask(name, content):
        for image in app.classify((name, content)).json()["images"]:
            found[name] = image["answers"]

    threads = [threading.Thread(target=ask, args=item) for item in files.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_no_picture_of_several_clients_is_lost(finished, app):
    contents = list(pictures(finished).values()) * 8
    assert serve.load(app.port, contents, clients=8)["lost"] == 0


def test_files_keep_their_names_and_order_also_when_two_are_alike(app):
    sent = [("a b.png", BLACK), ('"ü".png', BLACK), ("x", b"no"), ("a b.png", BLACK), ("x", b"")]
    content = app.classify(*sent).json()
    assert [image["image"] for image in content["images"]] == ["a b.png", '"ü".png', "a b.png"]
    assert content["unreadable"] == [
        {"image": "x", "reason": "x: not a picture in a known format"},
        {"image": "x", "reason": "x: the file is empty"},
    ]


def test_a_preview_is_the_picture_that_the_models_see(app):
    (image,) = app.classify(("a.png", BLACK), params={"preview": "true"}).json()["images"]
    assert image["preview"].startswith("data:image/png;base64,")
    (image,) = app.classify(("a.png", BLACK)).json()["images"]
    assert "preview" not in image


def test_maps_are_the_mean_over_the_trainings_that_evaluate_wrote(finished, app):
    written = [
        explanations.load(finished.root / f"reports/explanations/model_0/seed_{seed}.npz") for seed in (0, 1)
    ]
    test = np.load(finished.root / "data/processed/test/images.npy")
    asked = [
        index
        for index in range(explanations.SHOWN)
        if written[0].predicted[index] == written[1].predicted[index]
    ]
    files = [("files", (f"{index}.png", encoded(test[written[0].images[index]]))) for index in asked]
    url = f"{app.url}api/saliency"
    reply = requests.post(url, files=files, params={"model": "model_0"}, timeout=100).json()
    classes = app.classify(("a.png", BLACK)).json()["classes"]
    assert len(reply["images"]) == len(asked) > 0
    for index, image in zip(asked, reply["images"], strict=True):
        (found,) = image["maps"].values()
        assert found["explains"] == classes[written[0].predicted[index]]
        mean = saliency.mean([each.maps[[index]] for each in written])[0]
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["map"].partition(",")[2]))))
        np.testing.assert_array_equal(pixels, saliency.enlarged(mean, (32, 32)))
        assert found["empty"] is not bool(mean.any())
    every = requests.post(url, files=files[:1], timeout=100).json()
    assert [*every["images"][0]["maps"]] == MODELS
    refused = requests.post(url, files=files[:1], params={"model": "none"}, timeout=100)
    assert refused.status_code == 422
    assert refused.json()["detail"] == "no model 'none', expected one of model_0, model_1, model_2"


def test_the_models_are_described(finished, app):
    content = requests.get(f"{app.url}api/models", timeout=100).json()
    answer = app.classify(("a.png", BLACK)).json()
    assert (content["classes"], content["models"]) == (answer["classes"], answer["models"])
    assert [*content["models"]] == MODELS
    assert all(model["seeds"] == [0, 1] for model in content["models"].values())
    assert content["data"] == "scikit-learn's handwritten digits"
    head = finished.run("git", "rev-parse", "--short", "HEAD").strip()
    assert content["revision"] == f"git revision {head}"
    assert content["changed"] == []


def test_the_server_asks_nobody(app):
    app.classify(("a.png", BLACK))
    events = [line for line in app.record if line.startswith("socket.")]
    own = ("socket.bind", "socket.getaddrinfo 127.0.0.1")  # its own address, a number: no name is looked up
    assert [event for event in events if not event.startswith(own)] == []
    assert any(event.startswith("socket.bind ('127.0.0.1',") for event in events)  # the record is kept
    connections = app.connections()
    assert {connection.laddr.ip for connection in connections} == {"127.0.0.1"}
    assert {connection.raddr.ip for connection in connections if connection.raddr} <= {"127.0.0.1"}


CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 413, 415, 422]  # 413: more files than allowed
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 404, 422]  # 404: no such page or image, 422: no picture, or no such model
"""


def test_schemathesis_finds_nothing(app, tmp_path):
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]
    phases = "coverage,fuzzing"  # stateful tests would follow links, of which the document has none
    options = ["--checks", "all", "--phases", phases, "--max-examples", "20", "--seed", "1", "--no-color"]
    done = subprocess.run(
        [*command, f"{app.url}openapi.json", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"Tested: 6\b", done.stdout)
    assert "Traceback" not in (app.root / "log").read_text()
