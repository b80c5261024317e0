"""Hosts, origins and methods."""

import sys

import psutil
import pytest
import requests

from cifar10.app import middleware
from tests import browser, servers
from tests.webapp import BLACK

SUBMIT = """url => {
    const form = document.createElement("form");
    Object.assign(form, {method: "post", enctype: "multipart/form-data", action: url});
    document.body.append(form);
    form.submit();
}"""


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
    ("address", "expected"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "[fe80::1]")],
)
def test_hosts_of_an_address(address, expected):
    allowed = middleware.hosts(address, ["*.example.org"])
    assert allowed[:3] == ["localhost", "127.0.0.1", "[::1]"]
    assert allowed[3:] == [expected, "*.example.org"]


def test_hosts_of_all_interfaces_are_the_addresses_of_this_machine():
    allowed = middleware.hosts("0.0.0.0")
    assert {"localhost", "127.0.0.1"} <= {*allowed}
    own = [
        entry.address for entries in psutil.net_if_addrs().values() for entry in entries if entry.family == 2
    ]
    assert {*own} <= {*allowed}
    assert "*" not in allowed


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


def test_another_site_cannot_send_pictures_through_a_visitors_browser(app, chromium, tmp_path):
    port = servers.free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    (tmp_path / "site").mkdir()
    with servers.running(tmp_path / "log", *command, ports=[port], cwd=tmp_path / "site"):
        visited = browser.Visit(chromium, f"http://127.0.0.1:{port}/")
        with visited.page.expect_response(f"{app.url}api/classify") as response:
            visited.page.evaluate(SUBMIT, f"{app.url}api/classify")
        assert response.value.status == 403
        visited.context.close()


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
