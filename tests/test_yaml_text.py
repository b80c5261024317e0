"""A YAML text has the same values for DVC and for us; what is no YAML is refused in one line."""

import math
from pathlib import Path

import hypothesis
import pytest
from dvc.utils.serialize import parse_yaml
from hypothesis import strategies as st

from cifar10 import yaml_text
from cifar10.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
SPELLINGS = {
    "0.00001": 1e-5,
    "1e-05": 1e-5,
    "1.0e-5": 1e-5,
    "1e3": 1000.0,
    "1.": 1.0,
    ".5": 0.5,
    "+.5": 0.5,
    "010": 10,
    "-010": -10,
    "08": 8,
    "0o10": 8,
    "0x1F": 31,
    "0b11": 3,
    "1_000": 1000,
    "1_0.5": 10.5,
    "123456789012345678901234567890": 123456789012345678901234567890,
    ".inf": math.inf,
    "-.Inf": -math.inf,
    "1e400": math.inf,
    "1:30": "1:30",
    "1:30.5": "1:30.5",
    "yes": "yes",
    "No": "No",
    "on": "on",
    "OFF": "OFF",
    "y": "y",
    "true": True,
    "False": False,
    "~": None,
    "null": None,
    "Null": None,
    "'010'": "010",
    '"1e5"': "1e5",
    "'no'": "no",
    "0o9": "0o9",
    "_1": "_1",
    "1e": "1e",
    "!!str 1": "1",
    "!!float 1": 1.0,
}


def same(ours, theirs):
    """Compare values and types; NaN equals NaN."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return same(list(ours.items()), list(theirs.items()))
    if isinstance(ours, list | tuple) and type(ours) is type(theirs):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return type(ours) is type(theirs) and (ours == theirs or (ours != ours and theirs != theirs))


def agree(text):
    """Check that DVC and we read the same, if both accept the text."""
    try:
        ours = yaml_text.parse(text, "params.yaml")
    except UserError as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert "\n" not in message
        assert message.startswith("params.yaml is not valid YAML: ")
        return
    try:
        theirs = parse_yaml(text, "params.yaml")
    except Exception:  # DVC converts some errors only
        return
    assert same(ours or {}, theirs)


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_scalar_is_that_of_yaml_1_2_and_of_dvc(text):
    assert same(yaml_text.parse(f"a: {text}", "params.yaml"), {"a": SPELLINGS[text]})
    assert same(parse_yaml(f"a: {text}", "params.yaml"), {"a": SPELLINGS[text]})
    assert same(yaml_text.parse(yaml_text.dump({"a": SPELLINGS[text]}), "x"), {"a": SPELLINGS[text]})


SIGN = st.sampled_from(["", "-", "+"])
DIGITS = st.text("0123456789_", min_size=1, max_size=6)
BASED = st.text("01789aF_", max_size=5)
NUMBERS = st.one_of(
    st.builds("{}{}".format, SIGN, DIGITS),
    st.builds("{}{}{}".format, SIGN, st.sampled_from(["0o", "0x", "0b", "0", "0O", "0X"]), BASED),
    st.builds("{}{}.{}".format, SIGN, st.text("0123456789_", max_size=4), st.text("0123456789_", max_size=4)),
    st.builds("{}{}{}{}{}".format, SIGN, DIGITS, st.sampled_from(["e", "E", ".e", ".0e", "."]), SIGN, DIGITS),
    st.builds("{}:{}".format, DIGITS, DIGITS),
    st.builds("{}-{}-{}".format, st.integers(1, 3000), st.integers(0, 13), st.integers(0, 32)),
    st.builds("{}{}".format, SIGN, st.sampled_from([".inf", ".Inf", ".INF", ".nan", ".NaN", "inf", "nan"])),
)  # fmt: skip
WORDS = st.sampled_from(["yes", "NO", "On", "off", "y", "true", "TRUE", "False", "Null", "~", "=", "<<"])
ANY = st.text("ab01:-.,#&*!|>'\"[]{}?%@ \t\n~_eo", max_size=12)
QUOTED = st.builds("{0}{1}{0}".format, st.sampled_from(["", "'", '"']), NUMBERS | WORDS | ANY)
TAGS = st.sampled_from(
    ["", "!!int ", "!!float ", "!!str ", "!!bool ", "!!null ", "!!timestamp ", "!!binary "]
)


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(
    TAGS, QUOTED, st.sampled_from(["{}", "a: {}", "[{}]", "{{a: {}}}", "{}: 1", "a: {}\r\nb: 1"])
)
def test_any_scalar_that_both_accept_has_one_value_and_type(tag, scalar, form):
    agree(form.format(tag + scalar))


# any but surrogates; for `st.text()`, hypothesis would first make a table of Unicode, which takes 1 s
ALL = st.integers(0, 0x10FFFF - 0x800).map(lambda code: chr(code if code < 0xD800 else code + 0x800))
COMMON = st.integers(0, 0x2FF).map(chr)


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(st.lists(COMMON | ALL, max_size=30).map("".join) | ANY)
@hypothesis.example("|\n#")
@hypothesis.example(">\n# a\n")
def test_any_text_is_read_as_dvc_reads_it_or_refused_in_one_line(text):
    agree(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | QUOTED,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(QUOTED, each, max_size=3),
    max_leaves=8,
)


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(VALUES, st.booleans())
@hypothesis.example({"a": None, ":\n": None}, True)
def test_what_is_written_is_read_again(value, flow):
    text = yaml_text.dump(value, flow)
    assert same(yaml_text.parse(text, "x"), value)
    assert len(text.splitlines()) == 1 or not flow


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", "dvc.lock", "versions.yaml"])
def test_the_files_of_the_project_are_what_dvc_reads(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    if name == "dvc.lock":  # of thousands of lines, all of the same kind
        text = "".join(text.splitlines(keepends=True)[:300])
    assert same(yaml_text.parse(text, name), parse_yaml(text, name))


BOMB = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{a: 1, a: 2}", 'duplicate key "a"'),
        ("a:\n\tb: 1", "line 2, column 1"),
        (b"a: \xff", "save the file as UTF-8"),
        ("a: 1".encode("utf-16"), "save the file as UTF-8"),
        ("a: &a [*a]", "an alias of more or of itself"),
        (BOMB, "an alias of more or of itself"),
        ("[" * 20_000, "at most 100 levels"),
        ("- " * 20_000, "at most 100 levels"),
        ("--- 1\n--- 2", "single document"),
        ("%YAML 1.1\n---\na: no", "expected YAML 1.2"),
        ("a: !!python/object/apply:os.getcwd []", "constructor"),
        ("a: 2020-13-45", "month"),
        ("a: " + "9" * 5000, "4300 digits"),
        ("a: \x00", "characters are not allowed"),
        ("a: *b", "undefined alias"),
        ("a: !!bool maybe", "does not fit its tag"),
        ("=", "constructor"),
        ("mirrors: [https://a]", "write 'https://a'"),
        ("{a: {b: 1:30}}", "write '1:30'"),
        ("[{a:b: 1}]", "write 'a:b'"),
    ],
)
def test_what_is_no_yaml_is_refused_in_one_line(content, reason):
    with pytest.raises(UserError) as caught:
        yaml_text.parse(content, "params.yaml")
    message = str(caught.value)
    assert message.startswith("params.yaml is not valid YAML: ")
    assert reason in message
    assert "\n" not in message
    assert len(message) < 400


def test_outside_brackets_and_in_quotes_a_colon_is_part_of_a_text():
    text = "a: https://b\nc: ['https://d', {e: \"f:g\"}]"
    assert yaml_text.parse(text, "x") == {"a": "https://b", "c": ["https://d", {"e": "f:g"}]}


@pytest.mark.parametrize("content", ["\ufeffa: 1\nb: x\n", "a: 1\r\nb: x\r\n", b"\xef\xbb\xbfa: 1\r\nb: x"])
def test_byte_order_marks_and_line_ends_of_windows_are_no_content(content):
    assert yaml_text.parse(content, "x") == {"a": 1, "b": "x"}


def test_anchors_and_merge_keys_are_those_of_dvc():
    text = "a: &a {b: 1, c: 2}\nd:\n  <<: *a\n  c: 3\n"
    assert (
        yaml_text.parse(text, "x") == parse_yaml(text, "x") == {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}
    )
