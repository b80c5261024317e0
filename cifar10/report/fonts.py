"""Fonts for names with letters that DejaVu Sans, the font of the figures, lacks."""

import functools
from collections.abc import Iterable, Sequence

from matplotlib import font_manager, ft2font

from cifar10 import names, progress

USUAL = "DejaVu Sans"  # part of matplotlib: the same on every system
# Fonts of systems with many letters, preferred in this order; then any other font, by name.
PREFERRED = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
PLACEHOLDERS = ("Last Resort", "LastResort")  # fonts that draw a box for every letter


def fallbacks(text: str) -> list[str]:
    """List fonts of this system that draw the letters of a text that DejaVu Sans lacks; often none."""
    lacking, found = _lacking(text), []
    if not lacking:
        return []
    for name, path in _fonts():
        covered = {letter for letter in lacking if ord(letter) in _letters(path)}
        if covered:
            found.append(name)
            lacking -= covered
        if not lacking:
            break
    return found


def drawable(given: Sequence[str], kind: str) -> list[str]:
    """Replace names that no font here draws by their number, and say once what the numbers mean.

    Args:
        given: names, drawn in this order.
        kind: what they name, such as class.
    """
    shown = [names.shown(name) for name in given]
    lacking = _lacking("".join(shown))
    fonts = dict(_fonts()) if lacking else {}
    covered = [_letters(fonts[name]) for name in fallbacks("".join(lacking))]
    lost = {letter for letter in lacking if not any(ord(letter) in letters for letters in covered)}
    numbers = {name: f"{kind} {index}" for index, name in enumerate(shown) if lost.intersection(name)}
    if numbers:
        _warn(tuple(f"{number}: {name}" for name, number in numbers.items()))
    return [numbers.get(name, name) for name in shown]


@functools.cache
def _warn(legend: Iterable[str]) -> None:
    progress.log(
        f"warning: no font here draws these names, figures show numbers: {', '.join(legend)}; for the names, "
        "install a font such as Noto Sans CJK"
    )


def _lacking(text: str) -> set[str]:
    return {letter for letter in set(text) if ord(letter) not in _letters(_usual()) and not letter.isspace()}


@functools.cache
def _usual() -> str:
    return font_manager.findfont(USUAL)


@functools.cache
def _fonts() -> list[tuple[str, str]]:
    """List the names and files of the fonts of this system, the preferred ones first."""
    known = {font.name: font.fname for font in font_manager.fontManager.ttflist if font.style == "normal"}
    order = {name: place for place, name in enumerate(PREFERRED)}
    usable = [name for name in known if not name.startswith(PLACEHOLDERS)]
    return [
        (name, known[name]) for name in sorted(usable, key=lambda name: (order.get(name, len(order)), name))
    ]


@functools.cache
def _letters(path: str) -> frozenset[int]:
    """Return the code points that a font draws; none for a file that cannot be read."""
    try:
        return frozenset(ft2font.FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
