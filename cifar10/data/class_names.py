"""Names of classes: one spelling on every system, and no name that reads like another."""

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from cifar10.errors import UserError
from cifar10.names import shown

NONE = "none of these"  # `predictions.NONE`, the answer for a picture of no class
CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
NOT_ON_WINDOWS = set('<>:"|?*\\')


def of(folder: Path) -> str:
    """Return the class of a folder: its name in NFC, Unicode's composed form.

    macOS may write "é" as two characters and Linux as one, which look the same.

    Raises:
        UserError: the name is unprintable, begins or ends with a space, or is the answer for no class.
    """
    name = composed(folder.name)
    where = f"data.folder: {shown(str(folder.parent))}: the class name {folder.name!a}"
    if fault := problem(name):
        raise UserError(f"{where} {fault}")
    return name


def problem(name: str) -> str:
    """Say what is wrong with the name of a class, as the rest of a sentence; "" for nothing."""
    if not name.isprintable():
        return "has unprintable characters: rename it"
    if name != name.strip():
        return "begins or ends with a space: rename it"
    if not name:
        return "is empty: write a name"
    if name.casefold() == NONE:
        return "is the answer for pictures of no class: use another name, such as other"
    return ""


def composed(text: str) -> str:
    """Return a text in NFC."""
    return unicodedata.normalize("NFC", text)


def by_name(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the folders by class, sorted by name.

    Raises:
        UserError: as `of`, or two folders have the same name in NFC.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        name = of(folder)
        if name in found:
            raise UserError(
                f"data.folder: {shown(str(folder.parent))}: two folders have the class name {name}, with "
                f"composed and with decomposed characters ({found[name].name!a}, {folder.name!a}): "
                "merge them"
            )
        found[name] = folder
    return {name: found[name] for name in sorted(found)}


def check_same(train: Sequence[str], test: Sequence[str], folder: Path, labels: str | None = None) -> None:
    """Check that both splits have the same classes.

    Args:
        train: classes of the training pictures.
        test: classes of the test pictures.
        folder: data.folder.
        labels: data.labels.

    Raises:
        UserError: names each class that one split lacks, with a name of the other split that is almost equal.
    """
    found = []
    for other, here, there in (("test", train, test), ("train", test, train)):
        for name in (name for name in here if name not in there):
            near = [each for each in there if _loose(each) == _loose(name)]
            hint = f" ({near[0]} differs in case, width or spaces)" if near else ""
            where = f"{other} pictures of {name}" if labels else shown(str(folder / other / name))
            found.append(f"{where} not found{hint}")
    if found:
        key = f"data.labels: {shown(str(folder / labels))}" if labels else "data.folder"
        raise UserError(
            f"{key}: train and test must have the same classes: {', '.join(found)}: add "
            "pictures there, or leave the class out (data.exclude)"
        )


def are_own(classes: Sequence[str]) -> bool:
    """Tell whether the classes are neither those of CIFAR-10 nor the digits."""
    return [*classes] not in (CIFAR10, DIGITS)


def unportable(names: Sequence[str]) -> list[str]:
    """Describe the names that folders cannot have on every system, as phrases."""
    first: dict[str, str] = {}
    told = []
    for name in names:
        if name.split(".")[0].lower() in DEVICES or name.endswith(".") or NOT_ON_WINDOWS & set(name):
            told.append(f"Windows has no folder called {name}")
        if (other := first.setdefault(name.casefold(), name)) != name:
            told.append(f"macOS and Windows do not distinguish {other} and {name}")
    return told


def _loose(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
