"""Features, logits and probabilities of a batch of images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cifar10.training import models
from cifar10.training.models import keras  # through `models`, which prepares the import of TensorFlow
from cifar10.training.probabilities import normalize

WIDEST = 4096  # features; wider ones are sketched, so that memory and files are bounded for every network
SKETCH = 1024  # features of a sketch
LAYER_SKETCH = 256  # the same, of a layer's means
MOST_LAYERS = 16  # whose means are computed; with more layers, evenly spaced ones


@dataclass(frozen=True)
class Outputs:
    """Outputs of a network for N images.

    Attributes:
        features: float32 (N, D), the input of the last layer with weights; its `sketch` if it is wider than
            WIDEST.
        logits: float64 (N, K).
        probabilities: float64 (N, K), the softmax of `logits`; with `mirror`, the mean over the image and
            its mirror image.
        layers: float32 (N, D) of each of `hidden_layers`: the means of its outputs over the picture; their
            `sketch` if there are more than LAYER_SKETCH.
    """

    features: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    layers: Sequence[np.ndarray] = ()


def feature_extractor(model: keras.Model, mirror: bool = False) -> Callable[[np.ndarray], Outputs]:
    """Compile a network so that one forward pass gives features, logits and probabilities.

    The logits of a softmax layer are its inputs. A sigmoid layer is trained as p_k = s_k / sum(s), which is
    the softmax of log s, so its logits are log s.

    Args:
        model: from `models.build`, with trained weights.
        mirror: average the probabilities of each image and of its mirror image, left and right exchanged.
            Features, layers and logits remain those of the image.

    Returns:
        A function of uint8 (N, 32, 32, 3) images. The outputs of an image do not depend on the other images.
    """
    last = max((index for index, layer in enumerate(model.layers) if layer.weights), default=-1)
    inputs, outputs = connected(model)
    tapped = [inputs[last], before_activation(model, inputs[-1]), outputs[-1]]
    means = [_mean(outputs[model.layers.index(layer)]) for layer in hidden_layers(model)]
    taps = keras.Model(model.inputs, tapped + means)
    sigmoid = models.output_activation(model) == "sigmoid"
    predict = models.predictor(taps)

    def of_batch(images: np.ndarray) -> tuple[np.ndarray, ...]:
        features, raw, scores, *means = predict(images)
        flat = features.reshape(len(features), int(np.prod(features.shape[1:])))
        layers = [mean.reshape(len(mean), mean.shape[-1]) for mean in means]
        layers = [mean if mean.shape[1] <= LAYER_SKETCH else sketch(mean, LAYER_SKETCH) for mean in layers]
        return flat if flat.shape[1] <= WIDEST else sketch(flat), raw, scores, *layers

    def extract(images: np.ndarray) -> Outputs:
        # the batches of `predict`, one at a time: only one batch of wide features is in memory
        starts = range(0, max(len(images), 1), models.PREDICTION_BATCH)
        batches = [of_batch(images[start : start + models.PREDICTION_BATCH]) for start in starts]
        features, raw, scores, *layers = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        logits = raw.astype(np.float64)
        logits = -np.logaddexp(0, -logits) if sigmoid else logits
        return Outputs(features, logits, normalize(scores), layers)

    return mirrored(extract) if mirror else extract


def mirrored(extract: Callable[[np.ndarray], Outputs]) -> Callable[[np.ndarray], Outputs]:
    """Average the probabilities of each image and of its mirror image; all else remains that of the image.

    Args:
        extract: from `feature_extractor`, without `mirror`.
    """

    def both(images: np.ndarray) -> Outputs:
        found, other = extract(images), extract(images[:, :, ::-1])
        return replace(found, probabilities=(found.probabilities + other.probabilities) / 2)

    return both


def hidden_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers with a kernel, such as convolutions, but the last; at most MOST_LAYERS of them."""
    found = [
        layer
        for layer in model.layers
        if any(len(weight.shape) > 1 for weight in layer.weights) and 2 <= len(layer.output.shape) <= 4
    ][:-1]
    chosen = np.linspace(0, len(found) - 1, min(len(found), MOST_LAYERS)).round().astype(int)
    return [found[index] for index in chosen]


def described_layers(model: keras.Model) -> list[str]:
    """Describe the hidden layers by class and output shape, such as `Conv2D 8 x 8 x 128`."""
    return [
        f"{type(layer).__name__} {' x '.join(map(str, layer.output.shape[1:]))}"
        for layer in hidden_layers(model)
    ]


def _mean(outputs: keras.KerasTensor) -> keras.KerasTensor:
    """Average outputs over the picture, by pooling: its order of sums does not depend on the batch."""
    pooling = {4: keras.layers.AveragePooling2D, 3: keras.layers.AveragePooling1D}.get(len(outputs.shape))
    return pooling(outputs.shape[1:-1])(outputs) if pooling else outputs


def sketch(features: np.ndarray, size: int = SKETCH) -> np.ndarray:
    """Reduce features to `size` sums of features with random signs, which keeps distances approximately.

    Count sketch: Charikar, Chen and Farach-Colton, Finding Frequent Items in Data Streams, ICALP 2002. The
    error of the cosine of two vectors has a standard deviation of about 1 / sqrt(size).

    Args:
        features: float32 (N, D). The signs depend on D only.
        size: number of sums.

    Returns:
        float32 (N, size). Each row depends on its own features only, bit for bit.
    """
    count, width = features.shape
    rows = -(-width // size)
    random = np.random.default_rng(width)
    order, signs = random.permutation(width), random.choice(np.array([-1, 1], np.float32), width)
    padded = np.zeros((count, rows * size), np.float32)
    padded[:, :width] = features[:, order] * signs
    total = np.zeros((count, size), np.float32)
    for row in range(rows):  # additions in a fixed order on every processor
        total += padded[:, row * size : (row + 1) * size]
    return total


def connected(model: keras.Model) -> tuple[list[keras.KerasTensor], list[keras.KerasTensor]]:
    """Return the inputs and the outputs of each of `model.layers`, as tensors of one graph.

    Keras connects the layers of a Sequential anew whenever one is added, so that `layer.output` of an early
    layer is no longer an input of the later ones: a model with both would compute the early layers twice.
    """
    if not isinstance(model, keras.Sequential):
        return [layer.input for layer in model.layers], [layer.output for layer in model.layers]
    tensors = [model.inputs[0]]
    for layer in model.layers:
        tensors.append(layer(tensors[-1]))
    return tensors[:-1], tensors[1:]


def before_activation(model: keras.Model, inputs: keras.KerasTensor = None) -> keras.KerasTensor:
    """Return the input of the output's softmax or sigmoid; `inputs` replaces the input of the last layer."""
    last = model.layers[-1]
    inputs = last.input if inputs is None else inputs
    if not isinstance(last, keras.layers.Dense):
        return inputs  # the activation is a separate layer
    linear = keras.layers.Dense(last.units, use_bias=last.use_bias)
    raw = linear(inputs)
    linear.set_weights(last.get_weights())
    return raw
