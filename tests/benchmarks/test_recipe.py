"""The recipe in PyTorch is that of params.yaml: equal logits, loss and steps."""

import importlib

import keras
import numpy as np
import pytest

from benchmarks import recipe
from cifar10 import files, params, paths
from cifar10.training import loop, models, prepared

CHOSEN = params.load()
ENTRY = CHOSEN.models["model_3"]
IMAGES = np.random.default_rng(1).integers(0, 256, (24, 32, 32, 3), np.uint8)
LABELS = np.r_[np.arange(20) % 10, np.full(4, -1)]


@pytest.fixture(scope="module")
def torch():
    """PyTorch, imported where it is used: each test process collects this file, the import takes 2 s."""
    return pytest.importorskip("torch", reason="PyTorch is not installed: `make bench` installs it")


@pytest.fixture(scope="module")
def pytorch_recipe(torch):
    """The module benchmarks.pytorch_recipe, which imports PyTorch."""
    return importlib.import_module("benchmarks.pytorch_recipe")


@pytest.fixture(scope="module")
def both(pytorch_recipe):
    """Keras' and PyTorch's network with the same weights, with which Keras' optimizer and its rates come."""
    keras.utils.set_random_seed(0)
    labels = np.arange(1280) % 10
    made = prepared.prepare("model_3", CHOSEN, labels, [f"class {index}" for index in range(10)])
    network = pytorch_recipe.network(ENTRY.layers, 10)
    pytorch_recipe.load(network, [weight for weight in made.model.get_weights() if weight.ndim > 1])
    return made, network


def test_the_networks_give_equal_probabilities_in_training_and_are_of_the_same_size(
    both, torch, pytorch_recipe
):
    made, network = both
    with torch.no_grad():
        found = network.train()(pytorch_recipe.put(IMAGES)).softmax(1).numpy()
    np.testing.assert_allclose(found, made.model(IMAGES, training=True), atol=1e-5)
    assert sum(weight.numel() for weight in network.parameters()) == sum(
        weight.size for weight in made.model.trainable_weights for weight in [weight.numpy()]
    )


def test_three_steps_give_equal_weights(both, torch, pytorch_recipe):
    """With a constant rate: PyTorch applies the rate of a step to all gradients that momentum keeps."""
    made, network = both
    kernels = [weight for weight in made.model.get_weights() if weight.ndim > 1]
    pytorch_recipe.load(network, kernels)
    ((_, given),) = ENTRY.optimizer.items()
    constant = {"SGD": {**given, "learning_rate": 0.04}}
    optimizer = models.optimizer("model_3", ENTRY.model_copy(update={"optimizer": constant}))
    loop.train_state(made.model, optimizer)
    step = pytorch_recipe.make_train_step(network, given, lambda _: 0.04, 0.1, 0.5)
    ours = loop.make_train_step(made.model, optimizer, 0.1, None, 0.5)
    for limit in (0.002, 0.02, 0.05):  # of the relative difference, which grows from step to step
        total, _, _ = ours(IMAGES[None], LABELS[None])
        assert step(IMAGES, LABELS) == pytest.approx(total / 20, rel=1e-3)
        found = network[0 if not hasattr(network[0], "factor") else 1].weight.detach().numpy()
        kernel = next(weight for weight in made.model.get_weights() if weight.ndim == 4)
        difference, change = found.transpose(2, 3, 1, 0) - kernel, kernel - kernels[0]
        assert np.linalg.norm(difference) < limit * np.linalg.norm(change)
    with torch.no_grad():  # in inference: the moving statistics of the batches
        answers = network.eval()(pytorch_recipe.put(IMAGES)).softmax(1).numpy()
    np.testing.assert_allclose(answers, made.model(IMAGES, training=False), atol=1e-4)
    assert np.ptp(answers, axis=0).max() > 8e-4  # between images; after three steps it is small


def test_the_rates_of_both_sides_rise_and_fall_in_lines(both):
    made, _ = both
    rates = [float(made.optimizer._learning_rate(step)) for step in range(made.steps.total)]
    assert len(rates) == 110  # 11 epochs of 1280 images in batches of 128; 23 % of the steps are 25
    expected = [0.04 + 0.16 * step / 25 for step in range(25)] + [
        0.2 * (110 - step) / 85 for step in range(25, 110)
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_only_one_side_of_each_library_is_limited_to_avx2():
    found = {name: recipe.limited(CHOSEN, name).train_of("model_3") for name in ("AVX2", "all instructions")}
    assert (found["AVX2"].portable, found["all instructions"].portable) == (True, False)
    assert found["all instructions"].batch_size == CHOSEN.train_of("model_3").batch_size


def test_the_outcome_compares_medians_of_times_and_means_of_accuracies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.write_json(paths.SOURCE, {"source": "digits"})
    factors = dict(zip(recipe.SIDES, (2.0, 4.0, 1.0, 5.0), strict=True))
    runs = {
        side: [
            {"images": 100, "seconds": [9.0 * factor, factor, 3.0 * factor], "accuracy": factor / 10 + offset}
            for offset in (0, 0.02)
        ]
        for side, factor in factors.items()
    }
    found = recipe.outcome(runs, 3)
    portable, fastest = (found["instructions"][name] for name in (recipe.PORTABLE, recipe.FASTEST))
    assert (portable["time_ratio"], fastest["time_ratio"]) == (0.5, 0.2)
    assert portable["accuracy_lead"] == pytest.approx(-0.2)
    assert portable["seconds_per_epoch"] == {"this project": 4.0, "PyTorch": 8.0}
    assert portable["seconds_of_first_epoch"] == {"this project": 18.0, "PyTorch": 36.0}
    assert "which took 7.0 to 14.0 s." in recipe.markdown(found)
    assert "| AVX2 | 4.0 s | 8.0 s | 0.50 | 21.00 % | 41.00 % |" in recipe.markdown(found)
    assert "| all instructions | 2.0 s | 10.0 s | 0.20 | 11.00 % | 51.00 % |" in recipe.markdown(found)
