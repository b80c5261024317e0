import json
import os

import pytest

from cifar10 import names

LATIN = os.fsdecode(b"caf\xe9.jpg")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("漢字 é.jpg", "漢字 é.jpg"),
        ("a\x1b[31m\n\r\t", r"a\x1b[31m\n\r\t"),
        (LATIN, r"caf\xe9.jpg"),
        ("\ud83d", r"\ud83d"),  # half of a letter, as JavaScript and Windows allow it
        ("\u202egpj.exe", r"\u202egpj.exe"),  # would reverse what follows
    ],
)
def test_what_does_not_print_is_escaped(name, shown):
    assert names.shown(name) == shown
    assert names.lines(f"{name[:0]}{shown}\n{name}") == f"{shown}\n{shown}" or "\n" in name


@pytest.mark.parametrize("name", [LATIN, "\ud83d", f"漢{LATIN}\udcff"])
def test_json_is_valid_utf_8(name):
    text = json.dumps(names.given(name), ensure_ascii=False)
    assert json.loads(text.encode("utf-8")) == names.valid(name)
    assert names.valid("a\n漢") == "a\n漢"


def test_columns_are_those_of_a_terminal():
    assert [names.width(text) for text in ("abc", "漢字", "e\u0301", "")] == [3, 4, 1, 0]
    assert names.padded("漢", 4) == "漢  "
    assert names.padded("abc", 2) == "abc"


@pytest.mark.parametrize(
    ("name", "columns", "short"),
    [
        ("a very long class name", 17, "a very l…ass name"),
        ("漢字の写真の名前", 9, "漢字…名前"),
        ("two\n lines", 20, "two lines"),
    ],
)
def test_names_are_shortened_to_columns(name, columns, short):
    assert names.shorten(name, columns) == short
    assert names.width(short) <= columns
