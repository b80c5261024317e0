"""OOD detection: ID scores against independent implementations, thresholds, combination, datasets."""

import dataclasses

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import combine_pvalues
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.neighbors import NearestNeighbors

from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.evaluation import (
    detector,
    detector_fit,
    ensemble_detector,
    layer_distances,
    ood_scores,
    pseudo_ood,
)
from cifar10.evaluation.features import Outputs

RANDOM = np.random.default_rng(5)


def outputs(count: int, shift: float = 0) -> Outputs:
    logits = RANDOM.normal(size=(count, 4)) * 3
    features = np.abs(RANDOM.normal(size=(count, 6)) + shift).astype(np.float32)
    layers = [(RANDOM.normal(size=(count, width)) + shift).astype(np.float32) for width in (3, 5)]
    return Outputs(features, logits, softmax(logits, axis=1), layers)


def test_msp_and_energy_against_scipy():
    given = outputs(50)
    np.testing.assert_allclose(np.log(ood_scores.msp(given)), log_softmax(given.logits, axis=1).max(axis=1))
    np.testing.assert_allclose(ood_scores.energy(given), logsumexp(given.logits, axis=1))


def test_knn_distance_against_scikit_learn():
    bank, given = ood_scores.unit(outputs(200).features), outputs(50)
    oracle = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(bank.astype(np.float64))
    distances, _ = oracle.kneighbors(ood_scores.unit(given.features).astype(np.float64))
    np.testing.assert_allclose(ood_scores.knn(given, bank), -distances[:, -1], atol=1e-6)


def test_zero_features_and_a_small_memory_bank():
    empty = Outputs(np.zeros((2, 6), np.float32), np.zeros((2, 4)), np.full((2, 4), 0.25))
    assert np.isfinite(ood_scores.knn(empty, ood_scores.unit(outputs(3).features))).all()


def test_layer_distances_against_scikit_learn():
    known, given = outputs(300).layers, outputs(40, shift=1).layers
    found = layer_distances.fit(known).distances(given, 40)
    for column, train, test in zip(found.T, known, given, strict=True):
        oracle = LedoitWolf().fit(train.astype(np.float64)).mahalanobis(test.astype(np.float64))
        np.testing.assert_allclose(np.exp(column), oracle, rtol=1e-4)


def test_the_distances_of_an_image_do_not_depend_on_the_others():
    statistics, given = layer_distances.fit(outputs(300).layers), outputs(40).layers
    whole = statistics.distances(given, 40)
    for index in (0, 7, 39):
        alone = statistics.distances([layer[index : index + 1] for layer in given], 1)
        np.testing.assert_array_equal(alone[0], whole[index])


@pytest.mark.parametrize("layers", [[np.zeros((9, 3), np.float32)], [np.ones((1, 3), np.float32)], []])
def test_constant_features_one_image_and_no_layer(layers):
    given = dataclasses.replace(outputs(len(layers[0]) if layers else 7), layers=layers)
    statistics = layer_distances.fit(layers)
    scores = ood_scores.fit_layers(statistics, statistics.distances(layers, len(given.logits)))
    found = ood_scores.part_scores(scores, given)
    assert {values.shape for values in found.values()} == {given.logits.shape[:1]}
    assert np.isfinite([*found.values()]).all()


def test_a_network_without_hidden_layers_has_a_detector_by_its_outputs():
    def plain(images):
        return dataclasses.replace(extract(images), layers=[])

    split = Split(RANDOM.integers(128, 256, (60, 32, 32, 3)).astype(np.uint8), np.arange(60) % 2)
    found = detector_fit.fit(plain, split, split, {"dark": split.images // 2}, ["a", "b"])
    answer = detector_fit.person_answer(found.detector, plain(split.images[:1]))
    assert answer["layers"] == []
    assert found.pseudo_ood["combined"]["dark"] == 1


def test_layer_scores_are_two_sided_and_the_joint_one_is_a_mahalanobis_distance():
    statistics = layer_distances.fit(outputs(300).layers)
    inside, outside = (
        statistics.distances(outputs(count, shift).layers, count) for count, shift in ((500, 0), (40, 1))
    )
    scores = ood_scores.fit_layers(statistics, inside)
    deviations = (outside - inside.mean(axis=0)) / inside.std(axis=0)
    np.testing.assert_allclose(scores.separate(deviations), -(deviations**2).sum(axis=1))
    np.testing.assert_allclose(scores.separate(-deviations), scores.separate(deviations))
    oracle = EmpiricalCovariance().fit(inside).mahalanobis(outside)
    np.testing.assert_allclose(scores.joint(deviations), -oracle, rtol=1e-3)


def test_p_values_by_counting_and_their_combination_against_scipy():
    reference, scores = np.sort(RANDOM.normal(size=99)), RANDOM.normal(size=20)
    found = ood_scores.p_values(scores, reference)
    np.testing.assert_allclose(found, [(1 + (reference <= score).sum()) / 100 for score in scores])
    parts = {"msp": scores, "energy": -scores}
    references = {"msp": reference, "energy": np.sort(-reference)}
    combined = ood_scores.combined(("msp", "energy"), parts, references)
    for index, both in enumerate(
        zip(*(ood_scores.p_values(parts[part], references[part]) for part in parts), strict=True)
    ):
        assert -2 * combined[index] == pytest.approx(combine_pvalues(both, method="fisher").statistic)


@pytest.mark.parametrize("count", [1, 19, 20, 100, 5000])
def test_threshold_has_at_least_95_percent_tpr(count):
    scores = RANDOM.normal(size=count)
    tpr = (scores >= detector.threshold(scores)).mean()
    assert 0.95 <= tpr <= 0.95 + 2 / count


def extract(images: np.ndarray) -> Outputs:
    """Outputs of which the MSP separates dark from bright images; the energy and the layers do not."""
    bright = images.reshape(len(images), -1).mean(axis=1) / 255
    probabilities = np.stack([0.5 + bright / 2, 0.5 - bright / 2], axis=1)
    return Outputs(
        np.ones((len(images), 6), np.float32),
        np.zeros((len(images), 2)),
        probabilities,
        [np.ones((len(images), 3), np.float32)],
    )


def fitted(pseudo_ood=None):
    bright, dark = (
        RANDOM.integers(*range_, (400, 32, 32, 3)).astype(np.uint8) for range_ in ((128, 256), (0, 128))
    )
    split = Split(bright, np.arange(400) % 2)
    return detector_fit.fit(extract, split, split, pseudo_ood or {"dark": dark}, ["a", "b"]), bright, dark


def test_scores_are_compared_combined_and_measured():
    found, bright, dark = fitted()
    assert found.pseudo_ood["msp"] == {"dark": 1.0, "mean": 1.0}
    assert found.pseudo_ood["energy"]["mean"] == 0.5  # it cannot tell
    assert "msp" in found.detector.parts
    assert found.memory_bank.shape == (360, 6)
    scored = {name: found.scores(extract(images)) for name, images in (("test", bright), ("dark", dark))}
    measured = detector_fit.measure(found.thresholds, scored)
    for score in ("msp", "combined"):
        assert 0.95 <= measured[score]["tpr"] < 0.955
        assert (measured[score]["auroc"], measured[score]["fpr"]) == ({"dark": 1.0}, {"dark": 0.0})
    finished = detector_fit.finished(found.detector, measured, "validation")
    assert finished.auroc == 1
    assert ensemble_detector.is_reliable(finished.auroc)
    answer = detector_fit.person_answer(finished, extract(dark[:1]))
    assert answer["p_value"] == 1 / 401
    assert answer["layers"] == [1.0]  # as usual as all others


def test_training_images_are_extracted_without_their_mirror_images():
    counts = []

    def plain(images):
        counts.append(len(images))
        return extract(images)

    found, bright, dark = fitted()
    split = Split(bright, np.arange(400) % 2)
    again = detector_fit.fit(extract, split, split, {"dark": dark}, ["a", "b"], plain)
    assert counts == [360]  # the images of the fit
    assert again.thresholds == found.thresholds
    np.testing.assert_array_equal(again.memory_bank, found.memory_bank)


def test_of_combinations_as_good_as_the_best_the_one_with_the_most_scores_is_chosen():
    found, *_ = fitted()
    assert found.detector.parts == ("msp", "energy", "layers", "joint")  # constant scores cost no AUROC


def test_a_kind_without_images_is_null_and_the_choice_uses_the_others():
    images = np.zeros((40, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(40)
    split, dark = Split(images + 100, np.arange(40) % 2), images
    found = detector_fit.fit(extract, split, split, {"blends": images[:0], "dark": dark}, ["a", "b"])
    without = detector_fit.fit(extract, split, split, {"dark": dark}, ["a", "b"])
    assert found.detector.parts == without.detector.parts
    for score in detector_fit.SCORES:
        assert found.pseudo_ood[score] == {"blends": None, **without.pseudo_ood[score]}


def test_threshold_images_without_validation_take_no_part_in_the_fit():
    images = np.zeros((95, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(95)
    training, none = Split(images, np.zeros(95, int)), Split(images[:0], np.zeros(0, int))
    held_out, name = detector_fit.threshold_images(training, none)
    assert name == "training"
    numbers = held_out.images[:, 0, 0, 0]
    assert len(numbers) == 10
    assert set(numbers) | set(detector_fit.fitted_indices(95)) == set(range(95))
    assert set(numbers).isdisjoint(detector_fit.fitted_indices(95))
    assert detector_fit.threshold_images(training, training) == (training, "validation")


def test_detector_file_round_trip_and_equal_bytes(tmp_path):
    statistics, inside = layer_distances.fit(outputs(300).layers), outputs(100)
    layers = ood_scores.fit_layers(statistics, statistics.distances(inside.layers, 100))
    references = {part: np.sort(values) for part, values in ood_scores.part_scores(layers, inside).items()}
    references["combined"] = np.sort(RANDOM.normal(size=100))
    deviations = np.sort(np.abs(layers.deviations(inside)), axis=0).astype(np.float32)
    ours = detector.Detector(
        ood_scores.PARTS, -0.25, layers, references, deviations, ["ä", "b, c"], auroc=0.79
    )
    for name in ("first.npz", "second.npz"):
        detector.save(ours, tmp_path / name)
    again, given = detector.load(tmp_path / "first.npz"), outputs(30)
    np.testing.assert_array_equal(again.id_scores(given), ours.id_scores(given))
    np.testing.assert_array_equal(again.layer_p_values(given), ours.layer_p_values(given))
    assert (again.parts, again.threshold, again.classes) == (ood_scores.PARTS, -0.25, ["ä", "b, c"])
    assert (again.auroc, ensemble_detector.is_reliable(again.auroc)) == (0.79, False)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    for counted, column in zip(ours.layer_p_values(given).T, range(2), strict=True):
        found = np.abs(layers.deviations(given))[:, column].astype(np.float32)
        np.testing.assert_allclose(counted, [(1 + (deviations[:, column] >= x).sum()) / 101 for x in found])
    unmeasured = dataclasses.replace(ours, auroc=None)
    detector.save(unmeasured, tmp_path / "none.npz")
    assert detector.load(tmp_path / "none.npz").auroc is None
    assert ensemble_detector.is_reliable(None) is None


def made(count: int, seed: int) -> detector.Detector:
    random = np.random.default_rng(seed)
    reference = {part: np.sort(random.normal(size=count)) for part in ("msp", "combined")}
    statistics = layer_distances.LayerStatistics([], [])
    layers = ood_scores.LayerScores(statistics, np.zeros(0), np.ones(0), np.zeros((0, 0)))
    reference["combined"] = random.permutation(reference["combined"])
    none = np.zeros((count, 0), np.float32)
    return detector.Detector(("msp",), 0.0, layers, reference, none, ["a"], auroc=0.7 + seed / 10)


def test_detectors_of_several_trainings_decide_by_their_mean_score():
    members, given = (
        [made(200, seed) for seed in (0, 1)],
        [dataclasses.replace(outputs(30), layers=[]) for _ in range(2)],
    )
    both = ensemble_detector.combine(members)
    scores = both.id_scores(given)
    expected = [one.id_scores(found) for one, found in zip(members, given, strict=True)]
    np.testing.assert_allclose(scores, sum(expected) / 2)
    reference = sum(one.references["combined"] for one in members) / 2
    assert 0.95 <= (reference >= both.threshold).mean() < 0.96
    np.testing.assert_array_equal(both.is_id(scores), scores >= both.threshold)
    np.testing.assert_allclose(both.p_values(scores), [(1 + (reference <= x).sum()) / 201 for x in scores])
    assert (both.parts, both.auroc, both.reliable) == (["msp"], pytest.approx(0.75), False)
    with pytest.raises(ValueError, match="shape"):
        ensemble_detector.combine([made(200, 0), made(199, 1)])


def test_a_missing_file_names_the_command(tmp_path):
    with pytest.raises(
        UserError, match=r"model\.ood\.npz not found: run `dvc pull .*` to fetch it or `dvc repro` to make it"
    ):
        detector.load(tmp_path / "model.ood.npz")


def test_pseudo_ood_images_are_made_of_the_images():
    images = RANDOM.integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(40) % 2
    made = pseudo_ood.make(images, labels)
    for picture, puzzle in zip(images, made["puzzles"], strict=True):
        assert not np.array_equal(picture, puzzle)
        np.testing.assert_array_equal(np.sort(tiles(picture)), np.sort(tiles(puzzle)))
    means = {
        ((a.astype(int) + b) // 2).tobytes()
        for a in images[labels == 0]
        for b in images[labels == 1].astype(int)
    }
    assert {blend.astype(int).tobytes() for blend in made["blends"]} <= means
    assert 0 < len(made["blends"]) < 40
    assert {len(made[kind.__name__]) for kind in pseudo_ood.KINDS} == {40}


def tiles(picture: np.ndarray) -> list[str]:
    return [picture[y : y + 8, x : x + 8].tobytes().hex() for y in range(0, 32, 8) for x in range(0, 32, 8)]
