"""Trainings and threads: the comparison of two arrangements."""

from benchmarks import threads


def test_the_ratio_is_that_of_the_medians():
    two, one = threads.ARRANGEMENTS
    found = threads.outcome({two: [90.0, 300.0, 110.0], one: [50.0, 55.0, 400.0]})
    assert found["images_per_second"] == {two: 110.0, one: 55.0}
    assert found["ratio"] == 2.0
    assert found["machine"]["cores"] >= 1
