"""Pictures to try: a test image of each class, and one that shows none of them."""

from dataclasses import dataclass

import numpy as np

from cifar10 import files, paths
from cifar10.app import png
from cifar10.data import class_names, ood_datasets
from cifar10.errors import UserError
from cifar10.report import results


@dataclass(frozen=True)
class Example:
    """A picture's file: what it shows, its name, its content."""

    label: str
    name: str
    content: bytes


def find(of_checkout: bool = True) -> list[Example]:
    """Return the examples; only the person without test images or for models of another folder."""
    person, classes = ood_datasets.PERSON, _classes() if of_checkout else []
    label = "astronaut" if class_names.are_own(classes) else "astronaut (none of these)"
    return [*_tests(classes), Example(label, person.name, person.read_bytes())]


def _classes() -> list[str]:
    try:
        return files.read_json(paths.CLASSES)
    except (OSError, ValueError):
        return []


def _tests(classes: list[str]) -> list[Example]:
    """Return the first test image of each class that has one; none if the classes are unknown."""
    if not classes:
        return []
    try:
        images, labels = results.pictures("test")
    except (UserError, OSError, ValueError):
        return []
    found, first = np.unique(labels, return_index=True)
    return [
        Example(classes[label], f"test image {index}: {classes[label]}", png.encode(images[index]))
        for label, index in zip(found, first, strict=True)
    ]
