"""Train all models and seeds with this pipeline: parallel DVC stages, in a clone prepared by run.py."""

import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import params, stage_names
from cifar10.stage_run import StageRun
from scripts.repro import run, wanted_jobs

if __name__ == "__main__":
    chosen = params.load()
    stages = [stage_names.stage("train", *each) for each in product(chosen.models, chosen.train.seeds)]
    run([StageRun(stage) for stage in stages], wanted_jobs(), "trainings")
