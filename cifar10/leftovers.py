"""Delete the results of models and seeds that params.yaml no longer names.

The stage `report` depends on folders into which other stages write. DVC does not delete the outputs of a
stage that left dvc.yaml, so these folders would keep the results of a removed model or seed. The hash in
dvc.lock would then include files that no other clone has. The DVC cache keeps all that is deleted here.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

from cifar10 import files, paths, stage_names, staleness

LOCK = Path(staleness.LOCK)
OF_A_TRAINING = (  # outputs of `train` and `evaluate`
    paths.history,
    paths.evaluation,
    paths.explanations,
    paths.ood_metrics,
    paths.ood_scores,
    paths.predictions,
    paths.validation_predictions,
    paths.architecture,
)
IN_MODELS = (paths.model, paths.ood_detector)
KINDS = ("train", "evaluate")


def remove(models: Sequence[str], seeds: Sequence[int]) -> list[Path]:
    """Delete all results that belong to no model and seed of params.yaml, and their records in dvc.lock.

    In models/, only files with the names of outputs are deleted.

    Args:
        models: names of the models of params.yaml.
        seeds: content of `train.seeds`.

    Returns:
        The deleted files.
    """
    trainings = [*product(models, seeds)]
    kept = {path(*training) for training in trainings for path in (*OF_A_TRAINING, *IN_MODELS)}
    kept |= {paths.metrics(model) for model in models}
    deleted = sorted(set(_found()) - kept)
    for path in deleted:
        path.unlink()
    for folder in {path.parent for path in deleted}:
        if folder.parent != paths.REPORTS and not any(folder.iterdir()):
            folder.rmdir()
    _forget({stage_names.stage(kind, *training) for kind in KINDS for training in trainings})
    return deleted


def _found() -> Iterable[Path]:
    """List all files in the folders of results."""
    for folder in {path("NAME", 0).parent.parent for path in OF_A_TRAINING}:
        yield from (path for path in folder.rglob("*") if path.is_file())
    yield from paths.METRICS.glob("*.json")
    for pattern in ("*/seed_*.h5", "*/seed_*.ood.npz"):
        yield from paths.MODELS.glob(pattern)


def _forget(stages: set[str]) -> None:
    """Delete the records of all other trainings and evaluations from dvc.lock; keep every other byte."""
    if not LOCK.exists():
        return
    text = LOCK.read_text(encoding="utf-8")
    kept, keep = [], True
    for line in text.splitlines(keepends=True):
        if entry := re.match(r"  (\S+):$|\S", line):  # the first line of a stage, or of a section
            keep = str(entry[1]).partition("@")[0] not in KINDS or entry[1] in stages
        kept += [line] if keep else []
    if "".join(kept) != text:
        files.write_text(LOCK, "".join(kept))
