"""Adam in one pass over the weights, weights without weight decay, and divisions that stay divisions."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from cifar10.errors import UserError

EXCLUDE = "exclude_from_weight_decay"  # argument in params.yaml; in Keras, a method of optimizers

REWRITTEN = ("Adadelta", "Adafactor", "Adagrad", "Ftrl", "RMSprop")  # divide by roots of many numbers


class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam with TensorFlow's fused kernel: the same formula in two thirds of the time.

    Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015; end of section 2, where the step
    size is corrected instead of the moments. Keras uses the same form.
    """

    @staticmethod
    def can_do(arguments: dict[str, Any]) -> bool:
        """Check that the kernel supports these arguments of Keras' Adam."""
        return not arguments.get("amsgrad")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable and its two moments in place."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_1 = tf.cast(self.beta_1, variable.dtype)
        beta_2 = tf.cast(self.beta_2, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=gradient,
        )


def _handle(variable: Any) -> Any:
    """Return the resource handle of a Keras or TensorFlow variable."""
    return variable.value.handle if isinstance(variable, keras.Variable) else variable.handle


def keep_divisions(optimizer: keras.optimizers.Optimizer) -> None:
    """Prevent that TensorFlow rewrites x / sqrt(y) to `rsqrt`, for functions that run first after this call.

    The estimate of `rsqrt` differs between Intel and AMD. TensorFlow's rewriting of graphs is switched off
    for the optimizers of REWRITTEN, and is as usual for all others.
    """
    rewriting = type(optimizer).__name__ not in REWRITTEN
    if not rewriting or tf.config.optimizer.get_experimental_options():
        switches = ("arithmetic_optimization", "constant_folding")
        tf.config.optimizer.set_experimental_options(dict.fromkeys(switches, rewriting))


def exclude_from_weight_decay(optimizer: keras.optimizers.Optimizer, names: Any, key: str) -> None:
    """Note the names of weights without weight decay: `bias`, `gamma`, `beta`, `kernel`, ...

    Args:
        optimizer: not built yet.
        names: of params.yaml.
        key: position in params.yaml, for errors.

    Raises:
        UserError: the names are no list of texts, or the optimizer has no weight decay.
    """
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise UserError(f"{key}: got {names!r:.100}, expected a list of names such as [bias, gamma, beta]")
    if not optimizer.weight_decay:
        raise UserError(f"{key}: has no effect without weight_decay: set weight_decay or leave it out")
    optimizer.excluded = (key, *names)


def apply_exclusions(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]) -> None:
    """Leave the weights out of the weight decay whose names `exclude_from_weight_decay` has noted.

    Keras' own search for names also finds them in the names of models and layers.

    Raises:
        UserError: no weight has one of the names.
    """
    key, *names = getattr(optimizer, "excluded", ("",))
    known = sorted({variable.name for variable in variables})
    for name in names:
        if name not in known:
            raise UserError(f"{key}: got {name!r}, expected names of weights: {', '.join(known)}")
    if names:
        optimizer.exclude_from_weight_decay([variable for variable in variables if variable.name in names])
