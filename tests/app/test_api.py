"""The HTTP API: its answers, its limits, and what it refuses."""

import io
import json
import re
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
import requests
from PIL import Image

from benchmarks import serve
from cifar10.app import limits
from tests.conftest import ENVIRONMENT
from tests.webapp import BLACK, MODELS, encoded


def form(*files, field="files"):
    """Encode a multipart body with the boundary `b`."""
    head = 'Content-Disposition: form-data; name="{}"; filename="{}"\r\n\r\n'
    parts = [b"--b\r\n" + head.format(field, name).encode() + content + b"\r\n" for name, content in files]
    return b"".join(parts) + b"--b--\r\n"


TEXT = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nx\r\n--b--\r\n'
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


def post(app, body, headers=MULTIPART):
    return requests.post(f"{app.url}api/classify", data=body, headers=headers, timeout=100)


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
    command = [sys.executable, "-m", "cifar10.predict", "--json", *files]
    done = subprocess.run(
        command, cwd=finished.root, env=ENVIRONMENT, capture_output=True, text=True, check=False
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
        {"image": "x", "reason": "x: no picture of a known format"},
        {"image": "x", "reason": "x: the file is empty"},
    ]


def test_a_preview_is_the_picture_that_the_models_see(app):
    (image,) = app.classify(("a.png", BLACK), params={"preview": "true"}).json()["images"]
    assert image["preview"].startswith("data:image/png;base64,")
    (image,) = app.classify(("a.png", BLACK)).json()["images"]
    assert "preview" not in image


def test_the_models_are_described(finished, app):
    content = requests.get(f"{app.url}api/models", timeout=100).json()
    answer = app.classify(("a.png", BLACK)).json()
    assert (content["classes"], content["models"]) == (answer["classes"], answer["models"])
    assert [*content["models"]] == MODELS
    assert content["data"] == "scikit-learn's handwritten digits"
    head = finished.run("git", "rev-parse", "--short", "HEAD").strip()
    assert content["revision"] == f"git revision {head}"
    assert content["changed"] == []


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"{}", {"content-type": "application/json"}, 415, "multipart/form-data, found application/json"),
        (b"x", {}, 415, "multipart/form-data, found none"),
        (b"x", MULTIPART, 400, "damaged"),
        (form(("a.png", BLACK))[:-10], MULTIPART, 400, "damaged"),
        (form(("a.png", BLACK)), {"content-type": "multipart/form-data"}, 400, "damaged"),
        (form(), MULTIPART, 422, "at least one file in the field 'files', found none"),
        (form(("a.png", BLACK), field="file"), MULTIPART, 422, "only the field 'files', found 'file'"),
        (TEXT, MULTIPART, 422, "expected files in the field 'files', found text"),
        (form(*[("a", b"x")] * (limits.MAX_FILES + 1)), MULTIPART, 413, "more than 200 files"),
        (form(("a.png", bytes(limits.MAX_BODY))), MULTIPART, 413, "more than 50 MB"),
    ],
    ids=["JSON", "no type", "no form", "cut", "no boundary", "no file", "field", "text", "files", "bytes"],
)
def test_a_request_over_a_limit_or_of_another_kind_gets_one_sentence(app, body, headers, status, words):
    reply = post(app, body, headers)
    assert reply.status_code == status
    assert [*reply.json()] == ["detail"]
    assert words in reply.json()["detail"]
    assert "\n" not in reply.json()["detail"]


def test_a_body_without_a_length_has_the_same_limit(app):
    begin = form(("a.png", b""))[:-9]
    reply = post(app, iter([begin, *[bytes(1_000_000)] * 60]))
    assert (reply.status_code, reply.json()) == (413, {"detail": "the body has more than 50 MB"})
    assert app.classify(("a.png", BLACK)).status_code == 200


def test_a_body_that_declares_too_much_is_not_read(app):
    with socket.create_connection(("127.0.0.1", app.port)) as client:
        client.sendall(
            f"POST /api/classify HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 999999999\r\n\r\n".encode()
        )
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_pictures_over_a_limit_are_unreadable(app):
    bomb = io.BytesIO()
    Image.new("1", (9_500, 9_500)).save(bomb, "PNG")
    reply = app.classify(("bomb.png", bomb.getvalue()), ("big.png", bytes(limits.MAX_BYTES + 1)))
    assert reply.status_code == 422
    assert reply.json() == {
        "detail": "no file can be read as a picture",
        "unreadable": [
            {"image": "bomb.png", "reason": f"bomb.png: more than {limits.MAX_PIXELS:,} pixels"},
            {"image": "big.png", "reason": "big.png: more than 40 MB"},
        ],
    }


def test_no_picture_reaches_the_disk(app):
    app.classify(("a.png", BLACK))  # TensorFlow writes code when it first runs a model
    before = len(app.record)
    large = encoded(np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8))
    assert len(large) > 6_000_000
    for kind in ("BMP", "TIFF", "GIF", "WEBP", "JPEG2000"):
        pixels = np.zeros((40, 40, 3), np.uint8)
        assert app.classify(("a", encoded(pixels, kind)), ("large.png", large)).status_code == 200
    assert app.classify(("a.png", bytes(limits.MAX_BODY))).status_code == 413
    assert app.classify(("note.txt", bytes(30_000_000))).status_code == 422
    assert [line for line in app.record[before:] if line.startswith("write")] == []
    assert any(line.startswith("write") for line in app.record)  # the record is kept
    kept = [path.name for path in (app.root / "temporary").rglob("*") if path.is_file()]
    assert [name for name in kept if not name.startswith("__autograph_generated")] == []


def test_the_server_asks_nobody(app):
    app.classify(("a.png", BLACK))
    events = [line for line in app.record if line.startswith("socket.")]
    assert [event for event in events if not event.startswith("socket.bind")] == []
    assert any(event.startswith("socket.bind ('127.0.0.1',") for event in events)  # the record is kept
    connections = app.process.net_connections()
    assert {connection.laddr.ip for connection in connections} == {"127.0.0.1"}
    assert {connection.raddr.ip for connection in connections if connection.raddr} <= {"127.0.0.1"}


def test_a_client_that_leaves_early_is_no_error_of_the_server(app):
    body = form(("a.png", BLACK))
    head = (
        f"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MULTIPART['content-type']}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", app.port)) as client:
        client.sendall(head.encode() + body[:50])
    assert app.classify(("a.png", BLACK)).status_code == 200
    assert "Traceback" not in (app.root / "log").read_text()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:{port}", 200),
        ("[::1]:{port}", 200),
        ("LOCALHOST", 200),
        ("example.org", 400),
        ("127.0.0.1.example.org", 400),
        ("", 400),
    ],
)
def test_the_host_is_checked(app, host, status):
    headers = {"host": host.format(port=app.port)}
    assert requests.get(f"{app.url}healthz", headers=headers, timeout=100).status_code == status


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://127.0.0.1:{port}"}, True),
        ({"origin": "https://127.0.0.1:{port}"}, True),  # a proxy that has TLS
        ({"origin": "http://example.org", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "http://127.0.0.1:1"}, False),
        ({"origin": "http://127.0.0.1"}, False),
        ({"origin": "http://example.org"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://127.0.0.1:{port}", "sec-fetch-site": "cross-site"}, False),
    ],
)
def test_the_origin_is_checked(app, headers, allowed):
    filled = {name: value.format(port=app.port) for name, value in headers.items()}
    reply = app.classify(("a.png", BLACK), headers=filled)
    assert reply.status_code == (200 if allowed else 403)
    assert allowed or reply.json() == {"detail": "the request comes from a page of another origin"}


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("", "GET, HEAD, OPTIONS"),
        ("docs", "GET, HEAD, OPTIONS"),
        ("openapi.json", "GET, HEAD, OPTIONS"),
        ("static/page.js", "GET, HEAD, OPTIONS"),
        ("api/models", "GET, HEAD, OPTIONS"),
        ("api/classify", "OPTIONS, POST"),
        ("healthz", "GET, HEAD, OPTIONS"),
    ],
)
def test_methods(app, path, methods):
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
        reply = requests.request(method, app.url + path, timeout=100)
        expected = {"OPTIONS": 204}.get(method, 200) if method in methods else 405
        assert reply.status_code == expected, method
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        if method == "HEAD" and expected == 200:
            assert (reply.content, int(reply.headers["content-length"]) > 0) == (b"", True)
        if method == "OPTIONS":
            assert reply.headers["allow"] == methods
        if expected == 405 and method != "HEAD":
            assert reply.json() == {"detail": f"{method} is not possible here; possible: {methods}"}


@pytest.mark.parametrize(
    "path", ["redoc", "docs/", "static/", "static/../routes.py", "examples/99", "gradio_api"]
)
def test_nothing_else_is_served(app, path):
    session = requests.Session()
    request = session.prepare_request(requests.Request("GET", app.url))
    request.url = app.url + path  # as it stands, without dots resolved
    reply = session.send(request, timeout=100)
    assert reply.status_code == 404
    assert reply.json() == {"detail": "this address does not exist; docs describes the API"}


CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 413, 415, 422]  # 413: more files than allowed
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 422]  # 422: the bytes are no picture
"""


def test_schemathesis_finds_nothing(app, tmp_path):
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]
    options = ["--checks", "all", "--max-examples", "20", "--seed", "1", "--no-color"]
    done = subprocess.run(
        [*command, f"{app.url}openapi.json", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"Tested: 3\b", done.stdout)
    assert "Traceback" not in (app.root / "log").read_text()
