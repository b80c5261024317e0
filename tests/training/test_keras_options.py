"""Arguments of optimizers and layers act as in Keras' `fit`, or are refused in one line."""

import inspect

import keras
import numpy as np
import pytest

from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.params import Model, Train
from cifar10.training import allowed_layers, keras_arguments, keras_config, loop, models

SMALL = [{"MaxPooling2D": {"pool_size": 16}}, {"Flatten": {}}]
OUTPUT = {"Dense": {"units": "num_classes", "activation": "softmax"}}
SETTINGS = Train(epochs=1, batch_size=8, seeds=[0], portable=True)
GENERATOR = np.random.default_rng(0)
DATA = Split(GENERATOR.integers(0, 256, (80, 32, 32, 3), np.uint8), GENERATOR.integers(0, 3, 80))
NONE = Split(DATA.images[:0], DATA.labels[:0])


def entry(optimizer="SGD", arguments=None, layers=()):
    return Model(optimizer={optimizer: arguments or {}}, layers=[*layers, *SMALL, OUTPUT])


def both(chosen, plain):
    """Train ten steps with our loop and with Keras' `fit`; return weights and mean loss of each."""
    keras.utils.set_random_seed(0)
    ours, reference = models.build("m", chosen, 3), models.build("m", chosen, 3)
    reference.set_weights(ours.get_weights())
    optimizer = models.optimizer("m", chosen)
    loop.train_state(ours, optimizer)
    (epoch,) = loop.train(ours, optimizer, DATA, NONE, SETTINGS, 0, 1, lambda *_: None)
    reference.compile(plain, "sparse_categorical_crossentropy", run_eagerly=True)
    order = np.concatenate([b.ravel() for b in loop.shuffled_batches(80, 8, 0, 1)])
    fitted = reference.fit(DATA.images[order], DATA.labels[order], batch_size=8, shuffle=False, verbose=0)
    return (ours.get_weights(), epoch.loss), (reference.get_weights(), fitted.history["loss"][0])


def check(chosen, plain):
    (ours, loss), (theirs, their_loss) = both(chosen, plain)
    assert loss == pytest.approx(their_loss, rel=1e-5)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=2e-6)


SHARED = {  # arguments of all optimizers
    "weight_decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.01},
    "clipvalue": {"clipvalue": 0.01},
    "global_clipnorm": {"global_clipnorm": 0.02},
    "use_ema": {"use_ema": True, "ema_momentum": 0.5},
    "ema_overwrite_frequency": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
    "loss_scale_factor": {"loss_scale_factor": 8},
    "gradient_accumulation_steps": {"gradient_accumulation_steps": 3, "clipvalue": 0.01},
}
OWN = {  # optimizer: arguments of its own
    "Adadelta": {"rho": 0.9, "epsilon": 1e-6},
    "Adafactor": {"beta_2_decay": -0.7, "clip_threshold": 2, "relative_step": False},
    "Adagrad": {"initial_accumulator_value": 0.2, "epsilon": 1e-6},
    "Adam": {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4, "amsgrad": True},
    "AdamW": {"weight_decay": 0.1, "beta_1": 0.8, "beta_2": 0.9},
    "Adamax": {"beta_1": 0.8, "beta_2": 0.9},
    "Ftrl": {"l1_regularization_strength": 0.01, "beta": 1},
    "Lamb": {"beta_1": 0.8, "beta_2": 0.9},
    "Lion": {"beta_1": 0.8, "beta_2": 0.9},
    "Muon": {"ns_steps": 4, "momentum": 0.9, "nesterov": False},
    "Nadam": {"beta_1": 0.8, "beta_2": 0.9},
    "RMSprop": {"rho": 0.8, "momentum": 0.5, "centered": True},
    "SGD": {"momentum": 0.9, "nesterov": True},
}


def floats(arguments):
    """Return what a user of plain Keras writes: floats where Keras checks for them."""
    ints = ("gradient_accumulation_steps", "ema_overwrite_frequency", "ns_steps")
    return {
        name: value if name in ints or isinstance(value, bool) else float(value)
        for name, value in arguments.items()
    }


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        *(pytest.param("Adam", {"learning_rate": 0.01} | each, id=name) for name, each in SHARED.items()),
        *(pytest.param(kind, {"learning_rate": 0.01} | each, id=kind) for kind, each in OWN.items()),
        pytest.param("SGD", {"learning_rate": 1, "momentum": 0, "weight_decay": 1}, id="whole numbers"),
    ],
)
def test_ten_steps_are_those_of_fit(kind, arguments):
    check(entry(kind, arguments), getattr(keras.optimizers, kind)(**floats(arguments)))


def test_every_optimizer_of_keras_is_compared_or_refused():
    known = keras_config._subclasses(keras.optimizers, keras.optimizers.Optimizer)
    assert known.keys() == OWN.keys() | keras_config.OTHER_OPTIMIZERS.keys()


def test_every_shared_argument_of_keras_is_compared():
    shared = keras_arguments.accepted(keras.optimizers.Optimizer)
    assert shared.keys() - {"name"} <= {name for each in SHARED.values() for name in each} | {"learning_rate"}


def refusal(chosen):
    with pytest.raises(UserError) as caught:
        (models.optimizer("m", chosen), models.build("m", chosen, 3))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("params.yaml: models.m.")
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"clipnorm": "much"}, ["optimizer.Adam.clipnorm", "the text 'much'", "a number"]),
        ({"clipvalue": True}, ["the boolean True", "a number"]),
        ({"clipnorm": -1}, ["-1", "or more"]),
        ({"learning_rate": -0.1}, ["-0.1", "0 or more"]),
        ({"learning_rate": True}, ["the boolean True"]),
        ({"learning_rate": None}, ["learning_rate", "a number"]),
        ({"learning_rate": [0.1]}, ["the list [0.1]"]),
        ({"learning_rate": {"class_name": "CosineDecay"}}, ["learning_rate", "a number"]),
        ({"beta_1": "0.9"}, ["the text '0.9'", "a number"]),
        ({"gradient_accumulation_steps": 2.5}, ["2.5", "a whole number of at least 2"]),
        ({"gradient_accumulation_steps": 1}, ["a whole number of at least 2"]),
        ({"ema_overwrite_frequency": 0}, ["a whole number of at least 1"]),
        ({"use_ema": "yes"}, ["the text 'yes'", "true or false"]),
        ({"use_ema": 1}, ["true or false"]),
        ({"use_ema": True, "ema_momentum": 2}, ["range [0, 1]"]),
        ({"clipnorm": 1, "clipvalue": 1}, ["Only one of"]),
        ({"amsgrad": "no"}, ["the text 'no'", "true or false"]),
    ],
)
def test_a_wrong_option_of_an_optimizer_is_refused_in_one_line(arguments, words):
    message = refusal(entry("Adam", arguments))
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("kind", [*keras_config.OTHER_OPTIMIZERS, "Optimizer"])
def test_optimizers_that_do_not_fit_are_refused(kind):
    assert kind in refusal(entry(kind))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        *((kind, {}) for kind in allowed_layers.REFUSED),
        ("TFSMLayer", {"filepath": "."}),
        ("Normalization", {}),
        ("Dense", {"units": True}),
        ("Dense", {"units": "3"}),
        ("Dense", {"units": 2.5}),
        ("Dense", {"units": None}),
        ("Dense", {"units": 3, "use_bias": "no"}),
        ("Dense", {"units": 3, "activation": "os.system"}),
        ("Dense", {"units": 3, "activation": {"class_name": "TFSMLayer", "config": {"filepath": "."}}}),
        ("Dense", {"units": 3, "kernel_initializer": {"class_name": "TFSMLayer", "config": {}}}),
        ("Dense", {"units": 3, "kernel_initializer": {"module": "os", "class_name": "system"}}),
        ("Dense", {"units": 3, "kernel_regularizer": {"class_name": "L2", "config": {"l2": "much"}}}),
        ("Dense", {"units": 3, "lora_rank": 2}),
        ("Dense", {"units": 3, "dtype": "float16"}),
        ("Conv2D", {"filters": 2, "kernel_size": [3, True]}),
        ("Conv2D", {"filters": 2, "kernel_size": 3, "data_format": "channels_first"}),
        ("Dropout", {"rate": "much"}),
        ("Dropout", {"rate": 0.1, "seed": 0.5}),
        ("RandomBrightness", {"factor": 0.1, "value_range": [0, 255]}),
        ("Reshape", {"target_shape": [7, 7]}),
        ("Permute", {"dims": [1, 1, 1]}),
        ("UpSampling2D", {"interpolation": 3}),
    ],
)
def test_a_layer_that_does_not_fit_is_refused_in_one_line(kind, arguments):
    assert f"layers.0.{kind}" in refusal(entry(layers=[{kind: arguments}]))


def test_a_network_without_weights_is_refused():
    layers = [{"GlobalAveragePooling2D": {}}, {"Softmax": {}}]
    assert "no layer has weights" in refusal(Model(optimizer={"SGD": {}}, layers=layers))


def test_the_last_layer_is_one_whose_logits_are_known():
    last = {"EinsumDense": {"equation": "ab,bc->ac", "output_shape": 3, "activation": "softmax"}}
    chosen = Model(optimizer={"SGD": {}}, layers=[*SMALL, last])
    assert "expected Dense, Activation or Softmax" in refusal(chosen)


def test_a_regularizer_with_its_strength_acts_as_in_fit():
    regularizer = {"class_name": "L2", "config": {"l2": 1}}
    output = {"Dense": {**OUTPUT["Dense"], "kernel_regularizer": regularizer}}
    check(Model(optimizer={"SGD": {}}, layers=[*SMALL, output]), keras.optimizers.SGD())


def test_blocks_act_as_in_fit():
    """`fit` uses the graph as Keras runs it; our loop replaces its dense layers within the blocks."""
    dense = [{"Dense": {"units": 6, "activation": "relu"}}, {"Dense": {"units": 12}}]
    block = {"Repeat": {"times": 2, "layers": [{"Residual": {"layers": dense}}]}}
    check(
        Model(optimizer={"SGD": {"learning_rate": 0.1}}, layers=[*SMALL, block, OUTPUT]),
        keras.optimizers.SGD(0.1),
    )


NEED = {"RandomPosterization": {"factor": 3}, "RandomColorJitter": {"brightness_factor": 0.3}}
RANGED = sorted(
    kind.__name__
    for kind in set(allowed_layers.ALLOWED.values())
    if "value_range" in keras_arguments.accepted(kind)
)


@pytest.mark.parametrize("name", RANGED)
def test_a_layer_with_a_range_does_to_pixels_of_0_to_1_what_it_does_to_0_to_255(name):
    kind = allowed_layers.ALLOWED[name]
    known = keras_arguments.accepted(kind)
    needs_factor = known.get("factor") is inspect.Parameter.empty
    arguments = NEED.get(name) or ({"factor": 0.3} if needs_factor else {})
    arguments |= {"seed": 1} if "seed" in known else {}
    pixels = 0.2 + 0.6 * np.random.default_rng(0).random((4, 32, 32, 3), np.float32)
    keras.utils.set_random_seed(0)
    ours = keras_config.layer(name, arguments, "key")(pixels, training=True)
    keras.utils.set_random_seed(0)
    theirs = kind(**arguments)(pixels * 255, training=True)
    assert 0 <= np.min(ours) < np.max(ours) <= 1
    assert np.abs(ours - pixels).mean() > 0.005
    np.testing.assert_allclose(ours, theirs / 255, atol=1e-4)


def test_the_range_is_asked_for_after_a_rescaling_layer():
    layers = [{"Rescaling": {"scale": 255}}, {"RandomBrightness": {"factor": 0.1}}]
    assert "value_range: missing" in refusal(entry(layers=layers))
    layers[1]["RandomBrightness"]["value_range"] = [0, 255]
    assert models.build("m", entry(layers=layers), 3).layers[2].value_range == [0, 255]
