"""The audit of a data set whose test pictures are all copies of training pictures, one under two labels."""

import json

import numpy as np
import pytest

from cifar10.audit import summary

CLASSES = ["cat", "dog"]


def pictures(count, seed):
    """Draw pictures of coloured tiles, uint8 (count, 32, 32, 3)."""
    tiles = np.random.default_rng(seed).integers(20, 236, (count, 8, 8, 3), dtype=np.uint8)
    return tiles.repeat(4, axis=1).repeat(4, axis=2)


def leaking(validation=4):
    """Return training pictures and 6 copies of them as test pictures: 4 equal, 2 mirrored, 1 relabelled."""
    train, labels = pictures(12, 0), np.arange(12) % 2
    test = np.concatenate([train[:4], train[4:6, :, ::-1]])
    test_labels = labels[:6].copy()
    test_labels[3] = 0
    held_out = pictures(validation, 1), np.zeros(validation, np.int64)
    return {"train": (train, labels), "validation": held_out, "test": (test, test_labels)}


def test_every_copy_is_counted_and_named():
    found = summary.audit(leaking(), CLASSES)
    assert found["images"]["test"] == {"cat": 4, "dog": 2}
    assert found["copies"] == {"train-test: equal": 4, "train-test: mirrored": 2}
    assert found["test_in_training"] == [0, 1, 2, 3, 4, 5]
    assert (found["test_equal_to_training"], found["two_labels"]) == (4, 1)
    assert found["pairs"][0] == {  # the one under two labels leads
        "first": {"split": "train", "index": 3, "class": "dog"},
        "second": {"split": "test", "index": 3, "class": "cat"},
        "kind": "equal",
    }
    assert len(found["pairs"]) == 6
    assert json.loads(json.dumps(found)) == found


def test_sentences_say_how_many_of_the_test_pictures_leak():
    said = summary.sentences(summary.audit(leaking(), CLASSES))
    assert said[0].startswith("6 of 6 test pictures are in the training set (4 with equal pixels, 2 ")
    assert "Pairs of copies under two labels: 1." in said


@pytest.mark.parametrize("validation", [0, 4])
def test_clean_data_have_no_copies(validation):
    splits = {**leaking(validation), "test": (pictures(3, 2), np.array([0, 1, 1]))}
    found = summary.audit(splits, CLASSES)
    assert (found["copies"], found["test_in_training"], found["pairs"]) == ({}, [], [])
    assert "Pairs of copies: none." in summary.sentences(found)


def test_a_copy_between_validation_and_test_is_not_in_the_training_set():
    splits = {**leaking(), "test": (leaking()["validation"][0], np.zeros(4, np.int64))}
    found = summary.audit(splits, CLASSES)
    assert found["copies"] == {"validation-test: equal": 4}
    assert found["test_in_training"] == []


def test_a_test_picture_equal_to_validation_and_training_is_found_in_training():
    splits = leaking()
    splits["validation"] = (splits["train"][0][:2], splits["train"][1][:2])
    assert summary.audit(splits, CLASSES)["test_in_training"] == [0, 1, 2, 3, 4, 5]
