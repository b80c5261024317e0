"""Errors of requests without an answer."""

from cifar10.app import request_limits


class BusyError(Exception):
    """As many requests as allowed are in memory, or no answer is possible within the time limit."""


class UnreadableError(Exception):
    """No file of a request is a readable picture; `files` has the entries of the answer's `unreadable`."""

    def __init__(self, files: list[dict[str, str]]) -> None:
        super().__init__("no file can be read as a picture")
        self.files = files


def late() -> BusyError:
    """Return the error for a request that takes too long."""
    return BusyError(
        f"no answer within {request_limits.SECONDS:g} s; send fewer pictures, or try again later"
    )
