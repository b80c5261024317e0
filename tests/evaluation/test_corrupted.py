"""Corrupted test images: against independent implementations of each corruption."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import gaussian_filter, zoom
from scipy.stats import kurtosis

from cifar10.evaluation import corrupted


@pytest.fixture(scope="module")
def images():
    """Smooth pictures, without pure black and white."""
    coarse = np.random.default_rng(3).uniform(60, 190, (30, 6, 6, 3))
    return np.array([zoom(picture, (32 / 6, 32 / 6, 1), order=1) for picture in coarse]).astype(np.uint8)


@pytest.fixture(scope="module")
def made(images):
    return corrupted.make(images)


def test_the_same_images_are_corrupted_in_each_way_and_always_alike(images, made):
    assert [*made] == ["jpeg", "blur", "contrast", "noise"]
    again = corrupted.make(images)
    for kind, found in made.items():
        assert (found.shape, found.dtype) == (images.shape, np.uint8)
        np.testing.assert_array_equal(again[kind], found)
        assert 0 < np.abs(found.astype(int) - images).mean() < 25
    many = np.repeat(np.arange(1200) % 200, 12).reshape(-1, 2, 2, 3).astype(np.uint8)
    rows = corrupted.make(many)["blur"][:, 0, 0, 0]
    assert len(rows) == 1000
    assert len(np.unique(rows)) == 200  # chosen at random, not the first


def test_of_large_images_there_are_fewer():
    large = np.zeros((10, 1500, 1000, 3), np.uint8)
    assert {len(found) for found in corrupted.make(large).values()} == {1000 * 64 * 64 // (1500 * 1000)}


def test_jpeg_is_that_of_tensorflow(images, made):
    files = [tf.io.encode_jpeg(image, quality=30, chroma_downsampling=True) for image in images]
    oracle = np.array([tf.io.decode_jpeg(file, dct_method="INTEGER_ACCURATE") for file in files])
    np.testing.assert_array_equal(made["jpeg"], oracle)


def test_blur_is_that_of_scipy(images, made):
    oracle = gaussian_filter(images.astype(float), sigma=(0, 1, 1, 0), mode="nearest", truncate=6)
    np.testing.assert_allclose(made["blur"], oracle, atol=3)  # three box filters approximate a Gaussian
    assert np.abs(oracle - images).max() > 15


def test_contrast_is_halved_around_the_mean_of_the_picture(images, made):
    for before, after in zip(images.astype(float), made["contrast"], strict=True):
        np.testing.assert_allclose(after, (before + before.mean()) / 2, atol=1)


def test_noise_is_nearly_normal_with_an_sd_of_25(images, made):
    noise = (made["noise"].astype(int) - images)[(images > 90) & (images < 160)]
    assert noise.mean() == pytest.approx(0, abs=0.5)
    assert noise.std() == pytest.approx(25, abs=0.5)
    assert abs(kurtosis(noise)) < 0.4  # a sum of 4 uniform numbers: -0.3
    one = made["noise"][0].astype(int) - images[0]
    assert np.corrcoef(one[..., 0].ravel(), one[..., 1].ravel())[0, 1] == pytest.approx(0, abs=0.1)


def test_values_stay_within_a_byte():
    black = corrupted.make(np.zeros((3, 8, 8, 3), np.uint8))
    assert {kind: int(found.max()) for kind, found in black.items() if kind != "noise"} == {
        "jpeg": 0,
        "blur": 0,
        "contrast": 0,
    }
    assert (black["noise"] == 0).mean() == pytest.approx(0.5, abs=0.1)


def test_no_image_is_no_error():
    assert {found.shape for found in corrupted.make(np.zeros((0, 8, 8, 3), np.uint8)).values()} == {
        (0, 8, 8, 3)
    }
