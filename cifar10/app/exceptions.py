"""Errors of requests without an answer."""


class BusyError(Exception):
    """As many requests as allowed are in memory, or no answer is possible within the time limit."""


class UnreadableError(Exception):
    """No file of a request is a readable picture; `files` has the entries of the answer's `unreadable`."""

    def __init__(self, files: list[dict[str, str]]) -> None:
        super().__init__("no file can be read as a picture")
        self.files = files
