"""Addresses of the command line: where to listen, and which names visitors use."""

import argparse
import errno
import re
import socket

from cifar10 import errors

NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")


def host(text: str) -> str:
    """Check an address to listen on: a host name or an IP address, without a port."""
    bare = text.removeprefix("[").removesuffix("]")
    if not is_ipv6(bare) and not _is_name(text, wildcard=False):
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected an address such as 127.0.0.1, ::1 or localhost, without a port; "
            "0.0.0.0 listens on all interfaces"
        )
    return bare


def allowed(text: str) -> str:
    """Check a host name for the header Host, and return it as browsers write it."""
    bare = text.removeprefix("[").removesuffix("]")
    if is_ipv6(bare):
        return f"[{bare.lower()}]"
    if not _is_name(text, wildcard=True):
        raise argparse.ArgumentTypeError(
            f"got {text!r}, expected a host name such as example.org or *.example.org, without a port"
        )
    return _ascii(text)


def listen(name: str, port: int) -> socket.socket:
    """Listen on an address, and with `::` on all interfaces of IPv4, too.

    Raises:
        UserError: the address is not of this machine, or the port is in use.
    """
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = "something listens there already; name another port with --port, or --port 0"
        else:
            fault = getattr(error, "strerror", None) or error
            reason = f"{fault}; name an address of this machine with --host, a port with --port"
        raise errors.UserError(f"cannot listen on {name} port {port}: {reason}") from None


def is_ipv6(text: str) -> bool:
    """Tell whether a text is an IPv6 address, with or without an interface."""
    try:
        socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def _is_name(text: str, wildcard: bool) -> bool:
    name = _ascii(text)
    return bool(NAME.fullmatch(name)) and (wildcard or not name.startswith("*"))


def _ascii(text: str) -> str:
    """Write a name as browsers do: lower case, other letters encoded with IDNA."""
    try:
        return ".".join(
            part if part == "*" else part.encode("idna").decode() for part in text.split(".")
        ).lower()
    except UnicodeError:
        return ""
