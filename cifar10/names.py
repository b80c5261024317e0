"""Names of files in messages, tables and JSON: escaped, and aligned by the columns of a terminal."""

import os

from rich.cells import cell_len


def shown(text: str) -> str:
    r"""Escape what does not print, as in \x1b, so that a name can neither move the cursor nor hide a part.

    A byte that is not UTF-8, in Python a surrogate, becomes its value, as in \xe9.
    """
    return "".join(map(_escaped, valid(text)))


def lines(text: str) -> str:
    """Escape what does not print in each line of a message."""
    return "\n".join(map(shown, text.split("\n")))


def valid(text: str) -> str:
    r"""Return text that every encoding of Unicode can hold: a byte that is not UTF-8 becomes \xe9, say."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape" if _bytes_only(text) else "backslashreplace").decode(
            "utf-8", "backslashreplace"
        )
    return text


def given(name: str | os.PathLike[str]) -> str:
    """Return the name of a file as it stands in JSON: valid Unicode, otherwise unchanged."""
    return valid(os.fspath(name))


def width(text: str) -> int:
    """Return the columns that a text takes on a terminal: two for a wide letter, none for a combining one."""
    return cell_len(text)


def padded(text: str, columns: int) -> str:
    """Add spaces to the right up to a number of columns."""
    return text + " " * max(0, columns - width(text))


def shorten(text: str, columns: int) -> str:
    """Shorten a name to a number of columns: "a very lo…ss name"."""
    text = " ".join(text.split())
    if width(text) <= columns:
        return text
    head, tail = "", ""
    for letter in text:
        if width(head + letter) > columns // 2:
            break
        head += letter
    for letter in reversed(text):
        if width(letter + tail) > columns - 1 - columns // 2:
            break
        tail = letter + tail
    return f"{head}…{tail}"


def _bytes_only(text: str) -> bool:
    """Check that all surrogates stand for bytes of a file name."""
    return all("\udc80" <= letter <= "\udcff" for letter in text if "\ud800" <= letter <= "\udfff")


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
