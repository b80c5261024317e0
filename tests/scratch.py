"""Run a stage as a separate process, in its own folder."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ENVIRONMENT, WARM, heed_ctrl_c

ROOT = Path(__file__).resolve().parents[1]


def write_params(folder: Path, **data: Any) -> None:
    """Write params.yaml with some entries of `data` changed; a dict changes entries of a section."""
    content = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    for key, value in data.items():
        content["data"][key] = content["data"][key] | value if isinstance(value, dict) else value
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def start(stage: str, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a stage in `folder`, as a user does."""
    inherited = {name: value for name, value in ENVIRONMENT.items() if name != "CIFAR10_ARCHIVE"}
    return subprocess.Popen(
        ["python", str(ROOT / "stages" / f"{stage}.py"), *arguments],
        cwd=folder,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


def run(stage: str, folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a stage in `folder` and wait for its end; it is warm (tests/warm.py) if a server runs."""
    process = start(stage, folder, *arguments, **WARM, **environment)
    output, messages = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, output, messages)
