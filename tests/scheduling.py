"""How the test processes share the files: each file runs in one process, and so do files with one server."""

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


class Scheduling(LoadFileScheduling):
    """Runs the files with a server or a browser in one process: both take 10 s of a core."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "tests/app" if file in APP else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Replace xdist's scheduler of `--dist loadfile`."""
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None
