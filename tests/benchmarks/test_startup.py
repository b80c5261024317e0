"""The benchmark of start and exit: the ratio of both sides."""

from benchmarks import startup


def test_the_ratio_is_that_of_the_medians() -> None:
    seconds = {
        "ours": {"wall": [9.0, 2.0, 3.0], "cpu": [1.0, 1.0, 7.0]},
        "plain": {"wall": [4.0, 1.0, 7.0], "cpu": [2.0, 9.0, 4.0]},
    }
    machine = {"processor": "a processor", "flags": ["avx2"], "cores": 2}
    text = startup.markdown({"machine": machine, "seconds": seconds})
    assert "| wall | 3.00 s | 4.00 s | 0.75 |" in text
    assert "| CPU | 1.00 s | 4.00 s | 0.25 |" in text
    assert "their number: 3. Measured on a processor" in text
