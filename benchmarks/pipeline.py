"""Train all models with this pipeline: parallel DVC stages, in a clone prepared by run.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params
from cifar10.stage_run import StageRun
from scripts.repro import train, wanted_jobs

if __name__ == "__main__":
    train([StageRun(f"train@{name}") for name in params.load().models], wanted_jobs())
