"""How the test processes share the files: each file runs in one process, as do files with a common start."""

import pytest
from xdist.scheduler import LoadFileScheduling

APP = {
    f"tests/app/test_{name}.py"
    for name in (
        "accessibility",
        "api",
        "command",
        "middleware",
        "mistakes",
        "page",
        "server",
        "uploads",
    )
}
TORCH = {"tests/training/test_efficientnet_lite.py", "tests/benchmarks/test_recipe.py"}
GROUPS = {**dict.fromkeys(APP, "tests/app"), **dict.fromkeys(TORCH, "PyTorch")}


class Scheduling(LoadFileScheduling):
    """Runs files with a common start in one process.

    A server or a browser takes 10 s of a core; the import of PyTorch takes 2 s.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return GROUPS.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Replace xdist's scheduler of `--dist loadfile`."""
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None
