"""Run a stage as a separate process, in its own folder."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import heed_ctrl_c

ROOT = Path(__file__).resolve().parents[1]


def write_params(folder: Path, **data: Any) -> None:
    """Write params.yaml with some entries of `data` changed; a dict changes entries of a section."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for key, value in data.items():
        content["data"][key] = content["data"][key] | value if isinstance(value, dict) else value
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def start(stage: str, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a stage in `folder`."""
    inherited = {name: value for name, value in os.environ.items() if name != "CIFAR10_ARCHIVE"}
    return subprocess.Popen(
        [sys.executable, ROOT / "stages" / f"{stage}.py", *arguments],
        cwd=folder,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


def run(stage: str, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a stage in `folder` and wait for its end."""
    process = start(stage, folder, *arguments, **environment)
    output, messages = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, output, messages)
