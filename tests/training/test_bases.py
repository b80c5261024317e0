"""A model that begins with a base: what is trained, cached features, files of weights, faults."""

import hashlib
from pathlib import Path

import keras
import numpy as np
import pytest

from cifar10 import params
from cifar10.data.dataset import Split
from cifar10.errors import StaleError, UserError
from cifar10.evaluation import detector_fit, features, gradcam, pseudo_ood, trained_models
from cifar10.params import Model
from cifar10.train_options import ModelTrain
from cifar10.training import loop, models, prepared
from cifar10.training.backbones import applications, base, efficientnet_lite, frozen

RANDOM = np.random.default_rng(3)
DATA = Split(RANDOM.integers(0, 256, (40, 32, 32, 3), np.uint8), RANDOM.integers(0, 3, 40))
VALIDATION = Split(RANDOM.integers(0, 256, (10, 32, 32, 3), np.uint8), RANDOM.integers(0, 3, 10))
HEAD = [{"Dense": {"units": "num_classes", "activation": "softmax"}}]
PARAMS = params.load()
LITE, MOBILE = "EfficientNetLite0", "MobileNet"  # the fastest of Keras to build


@pytest.fixture(autouse=True)
def _small(tmp_path, monkeypatch):
    """Build EfficientNet-Lite0 with three blocks; keep the files of features in a folder of the test."""
    monkeypatch.setattr(efficientnet_lite, "STAGES", ((1, 3, 1, 1, 8), (2, 3, 2, 6, 12)))
    monkeypatch.setattr(efficientnet_lite, "HEAD", 40)
    monkeypatch.chdir(tmp_path)


def entry(network=LITE, train="none", size=32, **options):
    option = {network: {"weights": None, "train": train, "image_size": size, **options}}
    own = ModelTrain(epochs=2, batch_size=8)
    return Model(optimizer={"SGD": {"learning_rate": 0.1}}, base=option, layers=HEAD, train=own)


def start(model):
    keras.utils.set_random_seed(0)
    chosen = PARAMS.model_copy(update={"models": {"m": model}})
    return prepared.prepare("m", chosen, DATA.labels, ["a", "b", "c"]), chosen.train_of("m")


def trained(model):
    made, settings = start(model)
    history = [*made.train(DATA, VALIDATION, settings, 0, [], lambda *_: None)]
    return made.model, history


def weights_of(layers):
    return [value for layer in layers for value in layer.get_weights()]


def files_of_features():
    return {path: path.stat().st_mtime_ns for path in Path("models/checkpoints").glob("features-*.npy")}


def test_the_layers_after_a_frozen_base_are_trained_as_in_the_whole_network():
    ours, history = trained(entry())
    made, settings = start(entry())
    before = weights_of(base.layers(made.model))
    whole = loop.train(made.model, made.optimizer, DATA, VALIDATION, settings, 0, [], lambda *_: None)
    for row, expected in zip(history, whole, strict=True):
        assert row.loss == pytest.approx(expected.loss, rel=1e-4)
        assert row.val_loss == pytest.approx(expected.val_loss, rel=1e-4)
    for found, expected in zip(ours.get_weights(), made.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    for model in (ours, made.model):
        for found, expected in zip(weights_of(base.layers(model)), before, strict=True):
            np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(ours.layers[-1].get_weights()[1], np.zeros(3))


def test_features_are_computed_once_and_shared():
    first, _ = trained(entry())
    files = files_of_features()
    assert len(files) == 2  # training and validation
    other, _ = start(entry().model_copy(update={"optimizer": {"Adam": {}}}))
    frozen.with_features(other.model, entry().base, DATA)
    assert files_of_features() == files
    path = max(files, key=lambda path: path.stat().st_size)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    again, _ = trained(entry())
    assert path.read_bytes() == whole
    for found, expected in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    changed = Split(DATA.images.copy(), DATA.labels)
    changed.images[0, 0, 0, 0] ^= 1
    frozen.with_features(first, entry().base, changed)
    assert files_of_features().keys() > files.keys()


@pytest.mark.parametrize("train", ["last_blocks", "all"])
def test_what_is_not_frozen_is_trained(train):
    made, settings = start(entry(train=train))
    model = made.model
    fresh = {layer.name: layer.get_weights() for layer in model.layers}
    assert len([*made.train(DATA, VALIDATION, settings, 0, [], lambda *_: None)]) == 2
    changed = {
        layer.name
        for layer in model.layers
        if any(not np.array_equal(*pair) for pair in zip(layer.get_weights(), fresh[layer.name], strict=True))
    }
    weighted = [layer.name for layer in model.layers if layer.weights]
    if train == "last_blocks":  # the expansion of block 1 comes before the last halving
        weighted = weighted[weighted.index("base.1.depthwise.conv") :]
    assert changed == {*weighted}
    assert not files_of_features()


def test_a_file_holds_the_whole_network():
    model = models.build("m", entry(), 3)
    models.save(model, Path("m.h5"), {})
    again = models.build("m", entry(), 3)
    trained_models.load_weights(again, Path("m.h5"))
    (expected,) = models.predictor(model)(DATA.images)
    np.testing.assert_array_equal(models.predictor(again)(DATA.images)[0], expected)
    alone = keras.models.load_model("m.h5", compile=False)
    np.testing.assert_allclose(alone(DATA.images, training=False), expected, rtol=1e-4)
    with pytest.raises(StaleError, match=r"base\.resizing\.height: 64, the file has 32"):
        trained_models.load_weights(models.build("m", entry(size=64), 3), Path("m.h5"))


def test_features_and_saliency_of_a_frozen_base():
    model = models.build("m", entry(), 3)
    outputs = features.feature_extractor(model)(DATA.images)
    made = frozen.with_features(model, entry().base, DATA)
    np.testing.assert_array_equal(outputs.features, made.images)
    assert made.images.shape == (40, 40)
    maps = gradcam.explainer(model)(DATA.images[:2], DATA.labels[:2])
    assert maps.shape == (2, 8, 8)  # 32 pixels are halved twice


def test_the_detector_of_a_frozen_base_measures_ood_images_by_the_layers_of_the_base():
    model = start(entry())[0].model
    hidden = [layer.name for layer in features.hidden_layers(model)]
    weighted = [layer.name for layer in base.layers(model) if len(layer.weights) == 1]
    assert hidden == weighted  # all convolutions of the base, nothing else
    extract, classes = features.feature_extractor(model), ["a", "b", "c"]
    pseudo = pseudo_ood.make(VALIDATION.images, VALIDATION.labels)
    fitted = detector_fit.fit(extract, DATA, VALIDATION, pseudo, classes)
    flat = np.full((5, 32, 32, 3), 130, np.uint8)  # against random pixels
    test = np.random.default_rng(4).integers(0, 256, (20, 32, 32, 3), np.uint8)
    scores = {kind: fitted.scores(extract(images)) for kind, images in (("test", test), ("flat", flat))}
    found = detector_fit.measure(fitted.thresholds, scores)
    assert {*found} == {*detector_fit.SCORES}
    # not the combined score: here it is chosen on ten validation images, for a network that learned nothing
    assert found["layers"]["auroc"]["flat"] == 1


def test_of_a_whole_base_the_detector_takes_16_convolutions(monkeypatch):
    monkeypatch.undo()
    hidden = [layer.name for layer in features.hidden_layers(models.build("m", entry(), 3))]
    assert len(hidden) == features.MOST_LAYERS
    assert (hidden[0], hidden[-1]) == ("base.stem.conv", "base.head.conv")
    assert all(name.startswith("base.") for name in hidden)


def test_the_architecture_has_one_row_for_the_base():
    model = models.build("m", entry(), 3)
    rows = trained_models.architecture(model)
    assert [row["layer"] for row in rows] == ["Rescaling", "base, 31 layers", "Dense"]
    assert rows[1]["output"] == [40]
    assert sum(row["parameters"] for row in rows) == model.count_params()


def saved(network):
    """Write random weights of a network of Keras; return it, the path and the SHA-256."""
    keras.utils.set_random_seed(7)
    made = getattr(keras.applications, network)(include_top=False, weights=None, input_shape=(32, 32, 3))
    path = Path(f"{network}.h5")
    made.save_weights(path.with_suffix(".weights.h5"))
    path = path.with_suffix(".weights.h5")
    return made, path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("network", [MOBILE, "VGG16"])
def test_a_network_of_keras_gives_its_own_features(network):
    theirs, path, sha256 = saved(network)
    images = RANDOM.integers(0, 256, (3, 32, 32, 3), np.uint8)
    inputs = applications.networks()[network].preprocess_input(images.astype(np.float32))
    expected = theirs(inputs, training=False).numpy().mean(axis=(1, 2))
    pixels = keras.Input((32, 32, 3), dtype="uint8")
    option = entry(network, weights=str(path), sha256=sha256).base
    model = keras.Model(pixels, base.connect(option, keras.layers.Rescaling(1 / 255)(pixels), "key"))
    base.load_weights(model, option, "key")
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(model(images, training=False), expected, rtol=1e-3, atol=1e-5)
    base.freeze(model, "last_blocks")
    trainable = [bool(layer.trainable_weights) for layer in base.layers(model) if layer.weights]
    assert trainable[-1]
    assert not trainable[0]


def test_faults_of_files_of_weights_are_one_line_that_names_the_key():
    path = Path("other.weights.h5")
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)

    def sha256():
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def fault(**options):
        with pytest.raises(UserError) as raised:
            applications.load_weights([], entry(MOBILE, **options).base, "key")
        assert "\n" not in str(raised.value)
        assert str(raised.value).startswith("key: ")
        return str(raised.value)

    assert "no.h5 not found; expected an .h5 file" in fault(weights="no.h5", sha256=sha256())
    assert f"{Path.cwd()} cannot be read: Is a dir" in fault(weights=str(Path.cwd()), sha256=sha256())
    assert "got imagenet, expected the path or address of an .h5 file" in fault(weights="imagenet")
    url = "https://localhost/x.h5"
    found = fault(weights=url, sha256=sha256())
    assert found.startswith(
        f"key: {url} has not been downloaded: `make repro` does it, and so does `dvc repro"
    )
    found, whole = fault(weights=str(path), sha256="0" * 64), sha256()
    assert found == f"key: {path} has the SHA-256 {whole}, expected sha256, {'0' * 64}"
    assert f"{path} does not hold the weights of MobileNet " in fault(weights=str(path), sha256=whole)
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path} does not hold the weights of MobileNet " in fault(weights=str(path), sha256=sha256())
    expected = rf"^params.yaml: models\.m\.base\.{LITE}\.weights: got '{path}', expected imagenet or null"
    with pytest.raises(UserError, match=expected):
        start(entry(weights=str(path), sha256=sha256()))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("MobileNetV22", "unknown network, expected .* such as MobileNetV2"),
        ("ConvNeXtTiny", "no .h5 file can hold its Add, LayerScale"),
    ],
)
def test_networks_that_cannot_be_used(network, message):
    with pytest.raises(UserError, match=rf"^params.yaml: models\.m\.base\.{network}: .*{message}"):
        models.build("m", entry(network), 3)


@pytest.mark.parametrize(("network", "least"), [("InceptionV3", 75), ("Xception", 71)])
def test_pictures_that_are_too_small_for_a_network(network, least):
    expected = (
        rf"^params.yaml: models\.m\.base\.{network}\.image_size: got 64, expected at least {least} for "
    )
    with pytest.raises(UserError, match=expected):
        models.build("m", entry(network, size=64), 3)


def test_keras_names_the_smallest_pictures_of_every_network():
    least = {name: applications.smallest(name) for name in applications.networks()}
    others = {"InceptionResNetV2": 75, "InceptionV3": 75, "Xception": 71}
    assert least == dict.fromkeys(least, 32) | others


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({}, "expected one network"),
        ({LITE: {"weights": None}, MOBILE: {}}, "expected one network"),
        ({LITE: None}, "expected one network"),
        ({LITE: {}}, "weights: missing"),
        ({LITE: {"weights": None, "size": 3}}, "unknown option 'size', expected one of weights, sha256"),
        ({LITE: {"weights": None, "image_size": 16}}, "greater than or equal to 32"),
        ({LITE: {"weights": None, "train": "some"}}, "'none', 'last_blocks' or 'all'"),
        ({LITE: {"weights": "x.h5"}}, "expected sha256 beside"),
        ({LITE: {"weights": "https://x/y.h5"}}, "expected sha256 beside the path or address"),
        ({LITE: {"weights": "ftp://x/y.h5", "sha256": "0" * 64}}, "an address that begins with https://"),
        ({LITE: {"weights": "https:/y.h5", "sha256": "0" * 64}}, "an address that begins with https://"),
        ({LITE: {"weights": "imagenet", "sha256": "0" * 64}}, "sha256: has a meaning only beside"),
    ],
)
def test_options_that_params_yaml_refuses(option, message):
    with pytest.raises(ValueError, match=message):
        Model(optimizer={"SGD": {}}, base=option, layers=HEAD)


def test_a_frozen_base_refuses_augmentation():
    option = {LITE: {"weights": None}}
    with pytest.raises(ValueError, match="expected no augmentation with the base EfficientNetLite0"):
        Model(optimizer={"SGD": {}}, base=option, layers=HEAD, augment={"shift": 2})
    free = {LITE: {"weights": None, "train": "last_blocks"}}
    assert Model(optimizer={"SGD": {}}, base=free, layers=HEAD, augment={"shift": 2}).augment.shift == 2
