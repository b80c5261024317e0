"""What a request may send, and where it stays."""

import io
import socket

import numpy as np
import pytest
import requests
from PIL import Image

from cifar10.app import request_limits
from tests.webapp import BLACK, encoded


def form(*files, field="files"):
    """Encode a multipart body with the boundary `b`."""
    head = 'Content-Disposition: form-data; name="{}"; filename="{}"\r\n\r\n'
    parts = [b"--b\r\n" + head.format(field, name).encode() + content + b"\r\n" for name, content in files]
    return b"".join(parts) + b"--b--\r\n"


TEXT = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nx\r\n--b--\r\n'
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


def post(app, body, headers=MULTIPART):
    return requests.post(f"{app.url}api/classify", data=body, headers=headers, timeout=100)


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
        (form(*[("a", b"x")] * (request_limits.MAX_FILES + 1)), MULTIPART, 413, "more than 200 files"),
        (form(("a.png", bytes(request_limits.MAX_BODY))), MULTIPART, 413, "more than 50 MB"),
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
    reply = app.classify(("bomb.png", bomb.getvalue()), ("big.png", bytes(request_limits.MAX_BYTES + 1)))
    assert reply.status_code == 422
    assert reply.json() == {
        "detail": "no file can be read as a picture",
        "unreadable": [
            {"image": "bomb.png", "reason": f"bomb.png: more than {request_limits.MAX_PIXELS:,} pixels"},
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
    assert app.classify(("a.png", bytes(request_limits.MAX_BODY))).status_code == 413
    assert app.classify(("note.txt", bytes(30_000_000))).status_code == 422
    assert [line for line in app.record[before:] if line.startswith("write")] == []
    assert any(line.startswith("write") for line in app.record)  # the record is kept
    kept = [path.name for path in (app.root / "temporary").rglob("*") if path.is_file()]
    assert [name for name in kept if not name.startswith("__autograph_generated")] == []


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
