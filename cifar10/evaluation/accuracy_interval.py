"""The interval of an accuracy: Wilson's, over the test images."""

from scipy.stats import binomtest

CONFIDENCE = 0.95  # of every interval


def wilson(correct: int, images: int) -> tuple[float, float]:
    """Return the Wilson 95 % interval of a proportion (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    interval = binomtest(correct, images).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)
