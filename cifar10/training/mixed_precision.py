"""Gradient steps in 16-bit arithmetic on 32-bit weights.

Micikevicius et al., Mixed Precision Training, ICLR 2018.
"""

import contextlib
from collections.abc import Iterator

import keras

from cifar10.errors import UserError

KEPT = (  # in float32: pixels; means and variances, which lose too much
    keras.layers.InputLayer,
    keras.layers.Rescaling,
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
    keras.layers.RMSNormalization,
    keras.layers.UnitNormalization,
)


@contextlib.contextmanager
def computed_in(model: keras.Model, dtype: str) -> Iterator[None]:
    """Set Keras' dtype policy of the layers while a function of the model is traced.

    The scaling of the pixels, normalisation layers, and the layers from the last Dense or convolution on stay
    in float32. Weights are float32 in any case, so validation, predictions and the .h5 file know no other.

    Args:
        model: from `models.build`.
        dtype: `train.dtype`, the name of the policy.
    """
    with_kernel = [index for index, layer in enumerate(model.layers) if hasattr(layer, "kernel")]
    inner = model.layers[: with_kernel[-1]] if with_kernel else []
    layers = [layer for layer in inner if not isinstance(layer, KEPT)]
    before = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = keras.DTypePolicy(dtype)
    try:
        yield
    finally:
        for layer, policy in zip(layers, before, strict=True):
            layer.dtype_policy = policy


def check(dtype: str, optimizer: keras.optimizers.Optimizer, key: str) -> None:
    """Refuse float16 without a factor of the loss: gradients below 6e-8 would become 0.

    Raises:
        UserError: the optimizer has no `loss_scale_factor`.
    """
    if dtype == "mixed_float16" and not optimizer.loss_scale_factor:
        raise UserError(
            f"{key}: train.dtype is mixed_float16, in which small gradients become 0: expected an optimizer "
            "with `loss_scale_factor`, such as 1024; or set mixed_bfloat16"
        )
