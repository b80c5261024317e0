"""Augmentation: the pixels against NumPy's padding, the draws against what they may depend on."""

import numpy as np
import pytest

from cifar10.errors import UserError
from cifar10.params import Augment
from cifar10.training import augmentation

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), np.uint8)
ALL = np.arange(200, dtype=np.int32)
EVERYTHING = Augment(flip="alternating", shift=2, cutout=8)


def read(augment, epoch=1, seed=0, indices=ALL):
    return augmentation.reader(IMAGES, augment, seed, epoch)(indices)


def test_pixels_are_those_of_numpy():
    random = np.random.default_rng(1)
    shifts, flips = random.integers(-5, 6, (2, 200)), random.integers(0, 2, 200) == 1
    for index, found in enumerate(augmentation.moved(IMAGES, ALL, shifts, flips)):
        padded = np.pad(IMAGES[index], ((5, 5), (5, 5), (0, 0)), "reflect")
        down, right = shifts[:, index]
        expected = padded[5 - down : 37 - down, 5 - right : 37 - right]
        np.testing.assert_array_equal(found, expected[:, ::-1] if flips[index] else expected)


def test_pixels_of_wide_images_are_those_of_numpy():
    images = np.random.default_rng(0).integers(0, 256, (30, 20, 200, 3), np.uint8)
    found = augmentation.reader(images, Augment(shift=19, flip="horizontal"), 3, 1)(ALL[:30])
    shifts = np.random.default_rng([3, 1, augmentation.SHIFT]).integers(
        -19, 19, (2, 30), np.int8, endpoint=True
    )
    flips = augmentation.flipped("horizontal", 30, 3, 1)
    for image, ours, flip, (down, right) in zip(images, found, flips, shifts.T.tolist(), strict=True):
        padded = np.pad(image, ((19, 19), (19, 19), (0, 0)), "reflect")
        expected = padded[19 - down : 39 - down, 19 - right : 219 - right]
        np.testing.assert_array_equal(ours, expected[:, ::-1] if flip else expected)
    covered = augmentation.reader(images, Augment(cutout=6), 3, 1)(ALL[:30]) != images
    assert np.flatnonzero(covered.any(axis=(0, 1, 3))).max() > 150  # columns beyond 127 too


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        (Augment(shift=20), r"models\.m\.augment\.shift: got 20, expected at most 19: .* 20x50 pixels"),
        (Augment(cutout=51), r"models\.m\.augment\.cutout: got 51, expected at most 50"),
    ],
)
def test_augmentation_that_does_not_fit_the_images_is_refused(augment, words):
    augmentation.check("m", Augment(shift=19, cutout=50), (20, 50, 3))
    with pytest.raises(UserError, match=words):
        augmentation.check("m", augment, (20, 50, 3))


def test_cutout_covers_a_square_around_each_centre():
    images, centres = np.zeros((4, 32, 32, 3), np.uint8), np.array([[0, 31, 16, 5], [0, 31, 9, 20]], np.int8)
    augmentation.cut(images, centres, 8)
    assert (images == augmentation.GREY).sum(axis=(1, 2, 3)).tolist() == [48, 75, 192, 192]
    assert (images[2, 12:20, 5:13] == augmentation.GREY).all()


def test_an_image_looks_the_same_in_every_batch_and_after_a_restart():
    whole = read(EVERYTHING)
    shuffled = np.random.default_rng(2).permutation(ALL).reshape(4, 50)
    np.testing.assert_array_equal(read(EVERYTHING, indices=shuffled), whole[shuffled])
    np.testing.assert_array_equal(read(EVERYTHING, indices=ALL[7:8]), whole[7:8])
    assert (read(EVERYTHING, epoch=2) != whole).any()
    assert (read(EVERYTHING, seed=1) != whole).any()


def test_one_option_does_not_change_the_draws_of_another():
    shifted, covered = read(Augment(shift=2)), read(Augment(shift=2, cutout=8))
    cut = (covered == augmentation.GREY).all(axis=-1)
    assert 30 < cut.sum(axis=(1, 2)).mean() < 64
    np.testing.assert_array_equal(covered[~cut], shifted[~cut])


def test_shifts_reach_every_distance_up_to_the_given_one():
    rolled = [
        (down, right)
        for image, found in zip(IMAGES, read(Augment(shift=1)), strict=True)
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (np.roll(image, (down, right), (0, 1))[2:-2, 2:-2] == found[2:-2, 2:-2]).all()
    ]
    assert len(rolled) == 200
    assert len(set(rolled)) == 9


@pytest.mark.parametrize("seed", [0, 1])
def test_alternating_flips_show_both_sides_in_every_two_epochs(seed):
    flips = [augmentation.flipped("alternating", 1000, seed, epoch) for epoch in (1, 2, 3, 4)]
    assert 400 < flips[0].sum() < 600
    assert (flips[0] != flips[1]).all()
    assert (flips[0] == flips[2]).all()
    assert (flips[1] == flips[3]).all()


def test_horizontal_flips_are_drawn_anew_in_every_epoch():
    first, second = (augmentation.flipped("horizontal", 1000, 0, epoch) for epoch in (1, 2))
    assert 400 < first.sum() < 600
    assert 400 < (first == second).sum() < 600
    mirrored = read(Augment(flip="horizontal"))
    expected = np.where(
        augmentation.flipped("horizontal", 200, 0, 1)[:, None, None, None], IMAGES[:, :, ::-1], IMAGES
    )
    np.testing.assert_array_equal(mirrored, expected)


@pytest.mark.parametrize("augment", [None, Augment()])
def test_without_options_images_are_read_unchanged(augment):
    np.testing.assert_array_equal(read(augment), IMAGES)


@pytest.mark.parametrize("epoch", [127, 128, 1001])
def test_alternating_flips_alternate_in_long_trainings(epoch):
    before, after = (augmentation.flipped("alternating", 50, 3, each) for each in (epoch, epoch + 1))
    np.testing.assert_array_equal(before, ~after)
