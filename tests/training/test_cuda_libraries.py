"""The CUDA libraries of pip's packages: which are loaded, and that their names are then known."""

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from markupsafe import _speedups

from cifar10.training import cuda_libraries

LISTED = "from cifar10.training import cuda_libraries; [print(file) for file in cuda_libraries.installed()]"


def listed(site):
    """List, in a new process, the libraries of the packages in a folder."""
    code = f"import sys; sys.path.insert(0, {str(site)!r}); {LISTED}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [Path(line).relative_to(site) for line in found.stdout.splitlines()]


def test_libraries_come_after_those_that_they_need(tmp_path):
    names = [
        "cudnn/lib/libcudnn.so.9",
        "cudnn/lib/libcudnn_ops.so.9",  # which libcudnn opens
        "cusolver/lib/libcusolver.so.11",
        "cublas/lib/libcublas.so.12",
        "cublas/lib/libcublasLt.so.12",
    ]
    for name in names:
        (tmp_path / "nvidia" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "nvidia" / name).touch()
    order = [4, 3, 2, 0]
    assert listed(tmp_path) == [Path("nvidia", names[place]) for place in order]


def test_without_the_packages_nothing_is_loaded(tmp_path):
    assert listed(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="CUDA of these packages is for Linux")
def test_a_loaded_library_is_found_by_its_name(tmp_path, monkeypatch):
    shutil.copy(_speedups.__file__, tmp_path / "libcusolver.so.11")  # some library
    (tmp_path / "libcublas.so.12").write_text("no library")
    monkeypatch.setattr(
        cuda_libraries, "installed", lambda: [tmp_path / "libcublas.so.12", tmp_path / "libcusolver.so.11"]
    )
    assert cuda_libraries.load() == [tmp_path / "libcusolver.so.11"]
    assert str(tmp_path / "libcusolver.so.11") in Path("/proc/self/maps").read_text()
    with pytest.raises(OSError, match="libcublas"):
        ctypes.CDLL("libcublas.so.12")
