"""Learning-rate schedules of params.yaml: those of Keras, and OneCycle."""

import re
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from cifar10.errors import UserError

WORDS = ("total_steps", "steps_per_epoch")
_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?"
_TERM = rf"(?:(?P<factor>{_NUMBER})\s*\*\s*)?(?P<word>{'|'.join(WORDS)})|(?P<number>{_NUMBER})"
TERM = re.compile(rf"\s*(?P<sign>[+-]?)\s*(?:{_TERM})\s*(?=[+-]|$)")


@dataclass(frozen=True)
class Steps:
    """Number of gradient steps of a training."""

    per_epoch: int
    epochs: int

    @property
    def total(self) -> int:
        """All steps."""
        return self.per_epoch * self.epochs

    @classmethod
    def of(cls, images: int, batch_size: int, epochs: int) -> "Steps":
        """Count the steps for a number of training images; a smaller last batch is a step."""
        return cls(-(-images // batch_size), epochs)


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear from `start` to the peak, then linear to `end` (Smith and Topin, Super-Convergence, 2019).

    Additions, multiplications and one division in float32: the same on every machine.

    Args:
        peak: highest learning rate.
        total_steps: steps of the training.
        start: first rate, as a fraction of the peak.
        peak_at: step of the peak, as a fraction of all steps.
        end: rate after the last step, as a fraction of the peak.
    """

    def __init__(
        self, peak: float, total_steps: int, start: float = 0.2, peak_at: float = 0.23, end: float = 0.0
    ):
        super().__init__()
        if not 0 <= peak_at <= 1:
            raise ValueError(f"peak_at: got {peak_at:g}, expected a fraction from 0 to 1")
        if min(peak, start, end) < 0 or max(start, end) > 1:
            raise ValueError("expected a peak of at least 0, and fractions from 0 to 1 for start and end")
        if total_steps < 1:
            raise ValueError(f"total_steps: got {total_steps}, expected at least 1")
        self.peak, self.start, self.peak_at, self.end = peak, start, peak_at, end
        self.total_steps = total_steps

    def __call__(self, step: Any) -> tf.Tensor:
        """Return the learning rate of a step, from 0; float32."""
        step = tf.cast(tf.convert_to_tensor(step), tf.float32)
        top = float(round(self.peak_at * self.total_steps))  # the step of the peak
        rising = self._between(step, 0.0, top, self.start, 1.0)
        falling = self._between(step, top, float(self.total_steps), 1.0, self.end)
        return tf.where(step < top, rising, falling) * self.peak

    def _between(self, step: tf.Tensor, first: float, last: float, low: float, high: float) -> tf.Tensor:
        share = tf.clip_by_value((step - first) / max(last - first, 1.0), 0.0, 1.0)
        return low + (high - low) * share

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        names = ("peak", "total_steps", "start", "peak_at", "end")
        return {name: getattr(self, name) for name in names}


def evaluate(value: Any, steps: Steps | None, key: str) -> Any:
    """Replace texts such as `total_steps` or `0.2 * total_steps` by whole numbers of steps, also in lists.

    Args:
        value: an argument of a schedule.
        steps: of the training; None if they are not known here.
        key: position in params.yaml, for errors.

    Raises:
        UserError: a text has one of WORDS but is no sum of numbers and multiples, or its value is negative.
    """
    if isinstance(value, list):
        return [evaluate(each, steps, f"{key}.{index}") for index, each in enumerate(value)]
    if not isinstance(value, str) or not any(word in value for word in WORDS):
        return value
    if steps is None:
        raise UserError(f"{key}: got {value!r}, expected a number: the steps are not known here")
    counts = dict(zip(WORDS, (steps.total, steps.per_epoch), strict=True))
    total, position = 0.0, 0
    while position < len(value):
        term = TERM.match(value, position)
        if not term or (position and not term["sign"]):
            raise UserError(
                f"{key}: got {value!r}, expected a number of steps such as total_steps, "
                "0.2 * total_steps or total_steps - 2 * steps_per_epoch"
            )
        size = float(term["number"]) if term["number"] else float(term["factor"] or 1) * counts[term["word"]]
        total += -size if term["sign"] == "-" else size
        position = term.end()
    if not 0 <= total < 2**31:
        raise UserError(f"{key}: got {value!r}, which is {total:g}, expected 0 to 2^31 steps")
    return round(total)


def checked(schedule: Any, steps: Steps | None, key: str) -> Any:
    """Return a schedule that gives a learning rate for the first and the last step.

    Raises:
        UserError: it fails, or a rate is negative or no number.
    """
    last = max(0, steps.total - 1) if steps else 0
    for step in sorted({0, last // 2, last}):
        try:
            rate = float(schedule(tf.constant(step, tf.int64)))
        except Exception as error:  # Keras checks few arguments; a wrong value can raise any exception
            raise UserError(f"{key}: gives no learning rate for step {step}: {error!s:.200}") from None
        if not 0 <= rate < float("inf"):
            raise UserError(f"{key}: gives the learning rate {rate:g} for step {step}, expected 0 or more")
    return schedule
