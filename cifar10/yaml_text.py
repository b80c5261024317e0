"""Read and write YAML 1.2 with ruamel.yaml, as DVC does: a text has one meaning for both.

`010` is ten, `1e-05` a number, `no` and `1:30` are texts. PyYAML reads YAML 1.1, in which they are eight, a
text, false and ninety.
"""

import copy
import functools
import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import CollectionStartEvent, ScalarEvent
from ruamel.yaml.representer import SafeRepresenter

from cifar10.errors import UserError

LONGEST = 300  # characters of a reason
DEEPEST = 100  # levels of nesting; Python's stack ends at some hundred
MOST = 1_000_000  # values, with every alias (*name) replaced by what it stands for
# of a value that does not fit its tag or form, for example the date 2020-13-45
MALFORMED = (YAMLError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError)


def read(path: Path) -> Any:
    """Read a file.

    Raises:
        FileNotFoundError: the file does not exist.
        UserError: see `parse`.
    """
    return parse(path.read_bytes(), str(path))


def parse(content: bytes | str, name: str) -> Any:
    """Read one YAML document.

    Args:
        content: UTF-8 if bytes; may begin with a byte order mark.
        name: of the file, for errors.

    Returns:
        Dicts, lists, texts, numbers, booleans, dates, bytes; None for an empty document.

    Raises:
        UserError: the content is not UTF-8 or not YAML, repeats a key, or has too many levels or values.
    """
    return copy.deepcopy(_parse(content, name))


@functools.lru_cache(maxsize=8)
def _parse(content: bytes | str, name: str) -> Any:
    """Read one YAML document, once: a stage reads its parameter files several times."""
    try:
        text = content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not valid YAML: {error}: save the file as UTF-8") from None
    try:
        value = _reader().load(text)
        _check_size(value)
    except MALFORMED as error:
        raise UserError(f"{name} is not valid YAML: {_reason(error)}") from None
    return value


def dump(value: Any, flow: bool = False) -> str:
    """Write a value so that `parse` returns it again; a final newline.

    Args:
        value: as from `parse`.
        flow: one line, with brackets; otherwise blocks.
    """
    writer = _yaml()
    writer.Representer = _Representer
    writer.default_flow_style = flow
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.allow_unicode = True
    writer.width = 2**31
    stream = io.StringIO()
    writer.dump(value, stream)
    return stream.getvalue().removesuffix("...\n")


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


class _Representer(SafeRepresenter):
    """Quotes texts with a colon, as within brackets they need it; double quotes keep a text in one line."""

    def represent_str(self, data: str) -> Any:
        quotes = "'" if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=quotes if ":" in data else None)


_Representer.add_representer(str, _Representer.represent_str)


def _reader() -> YAML:
    reader = _yaml()
    reader.Composer = _Composer
    return reader


class _Composer(Composer):
    """Builds the tree of a document; refuses what DVC refuses if it has ruamel.yaml's C parser."""

    depth = 0  # collections around the next value
    brackets = 0  # those of them that are written in brackets

    def compose_document(self) -> Any:
        """Check the line %YAML, which the C parser ignores."""
        if self.parser.peek_event().version not in (None, (1, 2)):
            raise ValueError("expected YAML 1.2, found another version in the line %YAML: delete this line")
        return super().compose_document()

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Check a value, and count the levels around it."""
        event = self.parser.peek_event()
        if parent is None and isinstance(event, ScalarEvent) and event.style in ("|", ">"):
            raise ValueError(f"expected keys, found a text after {event.style}: write a key before it")
        if isinstance(event, ScalarEvent) and self.brackets and event.style is None and ":" in event.value:
            raise ValueError(f"within brackets, a text with a colon needs quotes: write {event.value!r}")
        if not isinstance(event, CollectionStartEvent):
            return super().compose_node(parent, index)
        self.depth, self.brackets = self.depth + 1, self.brackets + bool(event.flow_style)
        if self.depth > DEEPEST:
            raise ValueError(f"expected at most {DEEPEST} levels of nesting, found more")
        node = super().compose_node(parent, index)
        self.depth, self.brackets = self.depth - 1, self.brackets - bool(event.flow_style)
        return node


def _check_size(value: Any) -> None:
    left, count = [value], 0
    while left:
        count += 1
        if count > MOST:
            raise ValueError(f"expected at most {MOST:,} values, found an alias of more or of itself")
        match left.pop():
            case dict() as section:
                left.extend(section.values())
            case list() as items:
                left.extend(items)


def _reason(error: Exception) -> str:
    """Describe an error in one line of at most LONGEST characters."""
    match error:
        case MarkedYAMLError(context=context, problem=str() as problem, problem_mark=mark) if (
            mark is not None
        ):
            found = f"{context or ''} {problem} at line {mark.line + 1}, column {mark.column + 1}"
        case KeyError() | TypeError() | AttributeError() | IndexError():
            found = f"a value does not fit its tag: {error}"
        case _:
            found = str(error)
    return " ".join(found.split())[:LONGEST]
