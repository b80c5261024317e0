"""The benchmark of latency reports medians and warns of a busy machine."""

from functools import partial

import pytest

from benchmarks import latency

MACHINE = {"processor": "a processor", "flags": ["avx2"], "cores": 4}


def test_medians_and_quartiles_are_those_of_the_counted_calls():
    durations = {"a": iter([9, 9, 9, 1, 5, 2]), "b": iter([9, 9, 9, 30, 10, 20])}  # the first three warm up
    order, now = [], [0.0]

    def call(name):
        order.append(name)
        now[0] += next(durations[name])

    calls = {(name, "network", 1): partial(call, name) for name in durations}
    found = latency.measure(calls, repeats=3, clocks={"wall": lambda: now[0], "cpu": lambda: now[0] / 2})
    assert found["a", "network", 1]["wall"] == {"low": 1.5, "median": 2.0, "high": 3.5}
    assert found["b", "network", 1]["wall"] == {"low": 15.0, "median": 20.0, "high": 25.0}
    assert found["b", "network", 1]["cpu"] == {"low": 7.5, "median": 10.0, "high": 12.5}
    assert order == ["a", "b"] * 6  # in turn


@pytest.mark.parametrize(("load", "busy"), [(1.0, False), (2.5, True)])
def test_the_table_has_milliseconds_and_the_machine(load, busy):
    keys = [("m", kind, size) for kind in ("network", "answer") for size in (1, 64)]
    found = {
        key: {"wall": {"median": 0.001 * place}, "cpu": {"median": 0.0001 * place}}
        for place, key in enumerate(keys, 1)
    }
    report = {"machine": MACHINE, "load": load, "repeats": 5, "seed": 0, "mirror": ["m"]}
    text = latency.markdown({**report, "models": latency.nested(found)})
    wall, cpu = (
        "| m | 1.00 ms | 2.00 ms | 3.00 ms | 4.00 ms |",
        "| m | 0.10 ms | 0.20 ms | 0.30 ms | 0.40 ms |",
    )
    assert (wall in text, cpu in text) == (not busy, busy)
    assert "The answer of m includes the mirror image." in text
    assert "Measured on a processor, flags avx2, without AVX-512, 4 cores." in text
    assert ("These are CPU times" in text) == busy
