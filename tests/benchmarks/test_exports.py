"""The benchmark of exports has a row per export, with what `cifar10-export` found."""

from benchmarks import exports

CHECK = {"images": 500, "kind": "test", "largest_difference": 1.234e-7}
INT8 = CHECK | {"largest_difference": 0.03, "accuracy": 0.73, "change": 0.002, "interval": [-0.0058, 0.0098]}
REPORT = {
    "machine": {"processor": "a processor", "flags": ["avx2"], "cores": 4},
    "versions": {"onnxruntime": "1.2"},
    "data": "some data",
    "mirror": ["b"],
    "seeds": [0, 1],
    "exports": [
        {"model": "a", "format": "onnx", "int8": False, "bytes": 1_160_000, "check": CHECK},
        {"model": "b", "format": "litert", "int8": True, "bytes": 340_000, "check": INT8},
    ],
}


def test_only_exports_with_8_bits_have_a_change_of_accuracy():
    text = exports.markdown(REPORT)
    assert "| a | `onnx` | 1.2 MB | 1.2e-07 |  |" in text
    assert "| b | `litert`, int8 | 0.3 MB | 0.03 | 73.00 %, +0.20 points (-0.58 to +0.98) |" in text


def test_the_conditions_name_images_data_versions_and_machine():
    told = exports.markdown(REPORT).splitlines()[-1]
    assert told.startswith("Ensembles of 2 trainings. b: with the mirror image.")
    assert "on 500 test images of some data. onnxruntime 1.2; a processor, flags avx2" in told
