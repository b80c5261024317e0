"""The sentences about the web service under load."""

from benchmarks import serve


def test_percentiles_by_hand():
    assert serve.percentile([*range(1, 101)], 50) == 50
    assert serve.percentile([*range(1, 101)], 99) == 99
    assert serve.percentile([7], 99) == 7
    assert serve.percentile([], 50) is None


def test_the_sentences_by_hand():
    machine = {"processor": "a processor", "flags": ["avx2"], "cores": 2}
    report = {"machine": machine, "models": ["a", "b"], "seeds": [0, 1, 2], "clients": 8, "pictures": 200}
    times = {"lost": 0, "seconds": 10.0, "p50_seconds": 0.05, "p99_seconds": 0.2, "classify_seconds": 6.0}
    written = serve.markdown(report | times)
    for words in (
        "8 clients at once send 200 pictures each over loopback, one per request, to 2 models",
        "to 2 models of 3 trainings each: ",
        "1,600 pictures in 10.0 s (160 per second), 0 lost",
        "p50 50 ms, p99 200 ms",
        "`cifar10-classify` on the same 1,600 files takes 6.0 s",
    ):
        assert words in written
