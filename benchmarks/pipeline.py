"""Train all models with this pipeline: parallel DVC stages, in a clone prepared by run.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params
from scripts.repro import train, wanted_jobs
from scripts.training import Training

if __name__ == "__main__":
    train([Training(f"train@{name}") for name in params.load().models], wanted_jobs())
