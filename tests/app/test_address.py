"""Addresses to listen on, and names that visitors use."""

import argparse
import socket

import pytest

from cifar10.app import address, middleware
from cifar10.errors import UserError

IPV6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "0.0.0.0", "0", "localhost", "my-host.local", "::", "::1", "fe80::1%lo"]
)
def test_an_address_is_taken_as_it_is(text):
    assert address.host(text) == text
    assert address.host(f"[{text}]" if ":" in text else text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "127.0.0.1:7860",
        "[::1]:7860",
        "localhost:80",
        "http://localhost",
        "*",
        "*.org",
        "a b",
        "a..b",
    ],
)
def test_another_address_is_refused(text):
    with pytest.raises(
        argparse.ArgumentTypeError, match=r"without a port; 0\.0\.0\.0 listens on all interfaces"
    ):
        address.host(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pictures.Example.org", "pictures.example.org"),
        ("*.example.org", "*.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_a_name_is_written_as_browsers_write_it(text, expected):
    assert address.allowed(text) == expected


@pytest.mark.parametrize(
    "text", ["", "*", "*example.org", "a.*.org", "example.org:80", "https://example.org", "a/b"]
)
def test_a_name_that_no_request_can_have_or_that_allows_all_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"expected a host name such as example\.org"):
        address.allowed(text)


@pytest.mark.parametrize(
    "text", ["0", "0.0.0.0", pytest.param("::", marks=IPV6), pytest.param("0::0", marks=IPV6)]
)
def test_all_interfaces_in_any_spelling_allow_the_addresses_of_this_machine(text):
    with address.listen(text, 0) as listener:
        name, port = listener.getsockname()[:2]
        socket.create_connection(("127.0.0.1", port)).close()  # with IPv6 as well
    assert {"localhost", "127.0.0.1"} <= {*middleware.hosts(name)}
    assert not {"0", "0.0.0.0", "[::]", "*"} & {*middleware.hosts(name)}


@pytest.mark.parametrize("name", ["192.0.2.1", "no-such-host.invalid", "a" * 70])
def test_an_address_of_another_machine_is_one_line(name):
    with pytest.raises(
        UserError, match=f"^cannot listen on {name} port 0: .*name an address of this machine"
    ):
        address.listen(name, 0)
