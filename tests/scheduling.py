"""How the test processes start, and how they share the files.

Each file runs in one process, as do files with a common start.
"""

import os
import shlex

import pytest
from xdist.scheduler import LoadFileScheduling

from tests import warm

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
TORCH = {
    "tests/training/test_efficientnet_lite.py",
    "tests/benchmarks/test_recipe.py",
    "tests/benchmarks/test_sides.py",
}
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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config, specs):
    """Fork the processes of a run of all tests from the server of warm programs.

    The imports of each would take 4 s of a core.
    """
    if config.args_source is not config.ArgsSource.TESTPATHS or not hasattr(os, "fork"):
        return
    from tests.conftest import ENVIRONMENT  # which imports this module

    server = warm.Server(config._tmp_path_factory.getbasetemp() / "warm", ENVIRONMENT, os.getpid())
    server.wait("python")
    for spec in specs:
        spec.python = shlex.quote(str(server.worker))
