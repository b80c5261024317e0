"""Copies are found whatever was done to them, and pictures that are no copies are not."""

import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from skimage import data

from cifar10.audit import copies


def scaled(side):
    return lambda picture: np.asarray(
        Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS).resize((32, 32))
    )


def jpeg(quality):
    def change(picture):
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "JPEG", quality=quality)
        return np.asarray(Image.open(content))

    return change


CHANGES = {
    "equal": lambda picture: picture,
    "mirrored": lambda picture: picture[:, ::-1],
    "near: scaled to 24": scaled(24),
    "near: scaled to 64": scaled(64),
    "near: JPEG 60": jpeg(60),
    "near: JPEG 90": jpeg(90),
}


@pytest.fixture(scope="module")
def photographs():
    """Crops of photographs that do not overlap, uint8 (30, 32, 32, 3)."""
    crops = []
    for photograph in (data.astronaut(), data.chelsea()[:, :400], data.coffee()):
        small = np.asarray(Image.fromarray(photograph).resize((160, 64), Image.Resampling.BOX))
        crops += [small[y : y + 32, x : x + 32] for y in (0, 32) for x in range(0, 160, 32)]
    return np.stack(crops)


def test_crops_of_photographs_are_no_copies(photographs):
    assert copies.find(photographs) == []


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_copy_is_found_with_its_kind(photographs, name):
    changed = np.stack([CHANGES[name](picture) for picture in photographs])
    pairs = copies.find(np.concatenate([photographs, changed]))
    expected = [(index, index + len(photographs)) for index in range(len(photographs))]
    assert [pair[:2] for pair in pairs if pair.kind == name.partition(":")[0]] == expected
    assert len(pairs) == len(expected)


def test_many_equal_pictures_give_one_pair_each(photographs):
    pictures = np.concatenate([photographs[:1]] * 4 + [photographs[1:2]])
    assert copies.find(pictures) == [copies.Pair(0, index, "equal") for index in (1, 2, 3)]


def test_blocks_change_nothing(photographs, monkeypatch):
    pictures = np.concatenate([photographs, photographs[::3, :, ::-1], photographs[:5]])
    whole = copies.find(pictures)
    monkeypatch.setattr(copies, "BLOCK", 7)
    monkeypatch.setattr(copies, "PAIRED", 2)
    assert copies.find(pictures) == whole
    assert len(whole) == 10 + 5


def test_one_coloured_pictures_are_copies_only_if_equal():
    greys = np.array([10, 11, 10, 200], np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    assert copies.find(greys) == [copies.Pair(0, 2, "equal")]


def test_all_products_are_exact_in_float32(photographs):
    """The sum of the absolute products bounds every partial sum, in any order."""
    described = copies._descriptors(copies._cells(photographs, 16))
    assert np.array_equal(described, np.rint(described))
    exact = described.astype(np.int64)
    for one, other in combinations(exact, 2):
        assert np.abs(one * other).sum() < 2**24
    assert np.array_equal(described @ described.T, exact @ exact.T)


@pytest.mark.parametrize("shape", [(32, 32), (17, 40), (96, 50)])
def test_cells_are_means(shape):
    pictures = np.random.default_rng(0).integers(256, size=(3, *shape, 3), dtype=np.uint8)
    rows, columns = (
        np.array_split(np.arange(size), 16) for size in (shape[0] // 16 * 16, shape[1] // 16 * 16)
    )
    if shape == (32, 32):
        means = [[pictures[:, r][:, :, c].mean(axis=(1, 2)) for c in columns] for r in rows]
        assert np.array_equal(copies._cells(pictures, 16), np.floor(np.array(means)).transpose(2, 0, 1, 3))
    else:
        found = copies._cells(pictures, 16).astype(float)
        assert found.shape == (3, 16, 16, 3)
        assert abs(found.mean() - pictures.mean()) < 3
