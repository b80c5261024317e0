"""Arguments of optimizers and layers act as in Keras' `fit`, or are refused in one line."""

import inspect

import keras
import numpy as np
import pytest

from cifar10.data.dataset import Split
from cifar10.errors import UserError
from cifar10.params import Model, Train
from cifar10.training import image_order, keras_arguments, keras_config, keras_layers, loop, models
from cifar10.training.schedules import OneCycle, Steps

SMALL = [{"MaxPooling2D": {"pool_size": 16}}, {"Flatten": {}}]
OUTPUT = {"Dense": {"units": "num_classes", "activation": "softmax"}}
SETTINGS = Train(epochs=1, batch_size=8, seeds=[0], portable=True)
GENERATOR = np.random.default_rng(0)
DATA = Split(GENERATOR.integers(0, 256, (80, 32, 32, 3), np.uint8), GENERATOR.integers(0, 3, 80))
STEPS = Steps.of(80, 8, 1)
NONE = Split(DATA.images[:0], DATA.labels[:0])


def entry(optimizer="SGD", arguments=None, layers=()):
    return Model(optimizer={optimizer: arguments or {}}, layers=[*layers, *SMALL, OUTPUT])


def both(chosen, plain, settings=SETTINGS, loss="sparse_categorical_crossentropy", weights=None):
    """Train ten steps with our loop and with Keras' `fit`; return weights and mean loss of each."""
    keras.utils.set_random_seed(0)
    ours, reference = models.build("m", chosen, 3), models.build("m", chosen, 3)
    reference.set_weights(ours.get_weights())
    optimizer = models.optimizer("m", chosen, STEPS)
    loop.train_state(ours, optimizer)
    factors = None if weights is None else np.array([*weights.values()], np.float32)
    plan = (settings, 0, [], lambda *_: None)
    (epoch,) = loop.train(ours, optimizer, DATA, NONE, *plan, class_weights=factors)
    reference.compile(plain, loss, run_eagerly=True)
    order = np.concatenate([b.ravel() for b in image_order.shuffled_batches(80, 8, 0, 1)])
    labels = DATA.labels[order] if isinstance(loss, str) else np.eye(3, dtype=np.float32)[DATA.labels[order]]
    fitted = reference.fit(
        DATA.images[order], labels, batch_size=8, shuffle=False, verbose=0, class_weight=weights
    )
    return (ours.get_weights(), epoch.loss), (reference.get_weights(), fitted.history["loss"][0])


def check(chosen, plain, **options):
    (ours, loss), (theirs, their_loss) = both(chosen, plain, **options)
    assert loss == pytest.approx(their_loss, rel=1e-5)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=2e-6)


SHARED = {  # arguments of all optimizers, with the optimizer by which they are compared
    "Adam": {"clipnorm": 0.01, "weight_decay": 0.1},
    "Lamb": {"clipvalue": 0.01, "gradient_accumulation_steps": 3},
    "Adadelta": {"global_clipnorm": 0.02, "use_ema": True, "ema_momentum": 0.5},
    "Lion": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
}
# of SGD, whose steps are as large as the gradients; whole numbers
SCALED = {"learning_rate": 1, "momentum": 0, "weight_decay": 1, "loss_scale_factor": 8}
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
WITH = {  # optimizers that are compared with a schedule
    "SGD": "CosineDecay",
    "AdamW": "CosineDecayRestarts",
    "Adamax": "ExponentialDecay",
    "Nadam": "InverseTimeDecay",
    "RMSprop": "PiecewiseConstantDecay",
    "Adagrad": "PolynomialDecay",
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
        *(
            pytest.param(kind, {"learning_rate": 0.01} | OWN[kind] | SHARED.get(kind, {}), id=kind)
            for kind in OWN
            if kind not in WITH
        ),
        pytest.param("SGD", SCALED, id="whole numbers"),
    ],
)
def test_ten_steps_are_those_of_fit(kind, arguments):
    check(entry(kind, arguments), getattr(keras.optimizers, kind)(**floats(arguments)))


SCHEDULES = {  # arguments in params.yaml, and in plain Keras for ten steps
    "CosineDecay": (
        {"decay_steps": "total_steps - 2", "warmup_target": 0.1, "warmup_steps": "0.2 * total_steps"},
        {"decay_steps": 8, "warmup_target": 0.1, "warmup_steps": 2},
    ),
    "CosineDecayRestarts": ({"first_decay_steps": "steps_per_epoch"}, {"first_decay_steps": 10}),
    "ExponentialDecay": (
        {"decay_steps": "0.3*total_steps", "decay_rate": 0.5, "staircase": True},
        {"decay_steps": 3, "decay_rate": 0.5, "staircase": True},
    ),
    "InverseTimeDecay": ({"decay_steps": 3, "decay_rate": 0.5}, {"decay_steps": 3, "decay_rate": 0.5}),
    "PiecewiseConstantDecay": (
        {"boundaries": ["0.5 * total_steps", 8], "values": [0.1, 0.05, 0]},
        {"boundaries": [5, 8], "values": [0.1, 0.05, 0.0]},
    ),
    "PolynomialDecay": ({"decay_steps": "total_steps", "power": 2}, {"decay_steps": 10, "power": 2}),
}


@pytest.mark.parametrize(("optimizer", "kind"), WITH.items())
def test_ten_steps_with_a_schedule_are_those_of_fit(optimizer, kind):
    given, plain = SCHEDULES[kind]
    first = {} if kind == "PiecewiseConstantDecay" else {"initial_learning_rate": 0.05}
    schedule = getattr(keras.optimizers.schedules, kind)(**first, **plain)
    chosen = entry(optimizer, {"learning_rate": {kind: {**first, **given}}, **OWN[optimizer]})
    check(chosen, getattr(keras.optimizers, optimizer)(schedule, **floats(OWN[optimizer])))


def test_every_schedule_of_keras_is_compared():
    base = keras.optimizers.schedules.LearningRateSchedule
    assert keras_config._subclasses(keras.optimizers.schedules, base).keys() == SCHEDULES.keys()
    assert {*WITH.values()} == SCHEDULES.keys()


def test_a_schedule_moves_the_fused_adam():
    cycle = {"OneCycle": {"peak": 0.02, "peak_at": 0.3, "end": 0.1}}
    chosen = entry("Adam", {"learning_rate": cycle, **SHARED["Adam"]})
    rates = np.interp(np.arange(10), [0, 3, 10], [0.004, 0.02, 0.002])
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([*range(9)], [*map(float, rates)])
    check(chosen, keras.optimizers.Adam(schedule, **SHARED["Adam"]))


@pytest.mark.parametrize("peak_at", [0, 0.25, 1])
def test_one_cycle_is_linear_to_the_peak_and_from_it(peak_at):
    found = [float(OneCycle(0.5, 40, 0.2, peak_at, 0.1)(step)) for step in range(41)]
    top = 40 * peak_at
    points = {0: 0.1, top: 0.5, 40: 0.05} if 0 < peak_at < 1 else {0: 0.5, 40: 0.05}
    points = {0: 0.1, 40: 0.5} if peak_at == 1 else points
    expected = np.interp(range(40), [*points], [*points.values()])
    np.testing.assert_allclose(found[:40], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        ({"CosineDecay": {"initial_learning_rate": 0.1}}, ["learning_rate.CosineDecay", "decay_steps"]),
        ({"CosinDecay": {}}, ["'CosinDecay'", "CosineDecay"]),
        ({"OneCycle": {"peak": "high"}}, ["OneCycle", "high"]),
        ({"OneCycle": {"peak": -1}}, ["OneCycle", "at least 0"]),
        ({"OneCycle": {"peak": 1, "top": 1}}, ["OneCycle", "unknown argument 'top'", "peak_at"]),
        ({"OneCycle": {"peak": 1, "total_steps": "2 * steps"}}, ["OneCycle", "2 * steps"]),
        (
            {"OneCycle": {"peak": 1, "total_steps": "__import__('os') * total_steps"}},
            ["OneCycle.total_steps"],
        ),
        ({"OneCycle": {"peak": 1, "total_steps": "total_steps total_steps"}}, ["0.2 * total_steps"]),
        ({"OneCycle": {"peak": 1, "total_steps": "steps_per_epoch - total_steps - 1"}}, ["which is -1"]),
        ({"CosineDecay": {"initial_learning_rate": "much", "decay_steps": 3}}, ["CosineDecay", "step 0"]),
        ({"PolynomialDecay": {"initial_learning_rate": -1, "decay_steps": 3}}, ["PolynomialDecay", "-1"]),
        ({"CosineDecay": {}, "OneCycle": {}}, ["learning_rate", "a schedule with its arguments"]),
        ({}, ["learning_rate", "a schedule with its arguments"]),
        ("CosineDecay", ["learning_rate", "the text 'CosineDecay'"]),
        ("0.1 * total_steps", ["learning_rate", "a number"]),
    ],
)
def test_a_wrong_schedule_is_refused_in_one_line(rate, words):
    message = refusal(entry("Adam", {"learning_rate": rate}), STEPS)
    assert [word for word in words if word not in message] == []


def test_the_steps_are_unknown_without_a_training():
    chosen = entry("Adam", {"learning_rate": {"OneCycle": {"peak": 0.1}}})
    assert "OneCycle.total_steps" in refusal(chosen)


@pytest.mark.parametrize("layer", [{"Dense": {"units": "total_steps"}}, {"Dropout": {"rate": "total_steps"}}])
def test_the_steps_have_no_meaning_for_a_layer(layer):
    assert "total_steps" in refusal(entry(layers=[layer]))


NORMALIZED = [{"Conv2D": {"filters": 4, "kernel_size": 8, "strides": 8}}, {"BatchNormalization": {}}]


def test_weights_are_left_out_of_the_decay_as_in_fit():
    arguments = {"learning_rate": 0.01, "weight_decay": 0.5, "exclude_from_weight_decay": ["bias", "gamma"]}
    plain = keras.optimizers.SGD(0.01, weight_decay=0.5)
    plain.exclude_from_weight_decay(var_names=["bias", "gamma"])
    layers = [*NORMALIZED, {"GlobalMaxPooling2D": {}}, OUTPUT]
    check(Model(optimizer={"SGD": arguments}, layers=layers), plain)


@pytest.mark.parametrize(
    ("names", "decay", "words"),
    [
        ("bias", 0.1, ["'bias'", "a list of names"]),
        ([], 0.1, ["a list of names"]),
        ([1], 0.1, ["a list of names"]),
        (["bias"], None, ["no effect without weight_decay"]),
        (["bias", "offset"], 0.1, ["'offset'", "bias, kernel"]),
    ],
)
def test_wrong_exclusions_are_refused_in_one_line(names, decay, words):
    message = refusal(entry("SGD", {"weight_decay": decay, "exclude_from_weight_decay": names}))
    assert "optimizer.SGD.exclude_from_weight_decay" in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_smoothed_labels_act_as_in_fit(activation):
    output = {"Dense": {**OUTPUT["Dense"], "activation": activation}}
    settings = SETTINGS.model_copy(update={"label_smoothing": 0.2})

    def sigmoid_loss(targets, scores):
        shares = scores / keras.ops.sum(scores, -1, keepdims=True)
        return -keras.ops.sum((targets * 0.8 + 0.2 / 3) * keras.ops.log(shares), -1)

    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    loss = smoothed if activation == "softmax" else sigmoid_loss
    chosen = Model(optimizer={"SGD": {}}, layers=[*SMALL, output])
    check(chosen, keras.optimizers.SGD(), settings=settings, loss=loss)


def test_every_optimizer_of_keras_is_compared_or_refused():
    known = keras_config._subclasses(keras.optimizers, keras.optimizers.Optimizer)
    assert known.keys() == OWN.keys() | keras_config.OTHER_OPTIMIZERS.keys()


def test_every_shared_argument_of_keras_is_compared():
    shared = keras_arguments.accepted(keras.optimizers.Optimizer)
    compared = {name for each in [*SHARED.values(), SCALED] for name in each}
    assert shared.keys() - {"name"} <= compared


def refusal(chosen, steps=None):
    def start():
        optimizer = models.optimizer("m", chosen, steps)  # first: it takes less time than the network
        loop.train_state(models.build("m", chosen, 3), optimizer)

    with pytest.raises(UserError) as caught:
        start()
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
        *((kind, {}) for kind in keras_layers.REFUSED),
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


def test_a_regularizer_with_its_strength_and_weights_of_classes_act_as_in_fit():
    regularizer = {"class_name": "L2", "config": {"l2": 1}}
    output = {"Dense": {**OUTPUT["Dense"], "kernel_regularizer": regularizer}}
    chosen = Model(optimizer={"SGD": {}}, layers=[*SMALL, output])
    check(chosen, keras.optimizers.SGD(), weights={0: 1.0, 1: 3.0, 2: 0.5})


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
    for kind in set(keras_layers.ALLOWED.values())
    if "value_range" in keras_arguments.accepted(kind)
)


@pytest.mark.parametrize("name", RANGED)
def test_a_layer_with_a_range_does_to_pixels_of_0_to_1_what_it_does_to_0_to_255(name):
    kind = keras_layers.ALLOWED[name]
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
