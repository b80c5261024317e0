"""Write training, validation, test and OOD images of data.image_size to data/processed."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not
from cifar10 import files, params, paths, progress, stage_process
from cifar10.data import dataset, ood_datasets, sources, splitting

# isort: split
import numpy as np


def main() -> None:
    """Read the images of `data.source`, split them, write the splits, OOD datasets and class names."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    data = params.load().data
    images = sources.load(data)
    train, validation = splitting.split(
        images.train_labels, data.validation_fraction, data.seed, images.train_groups
    )
    dataset.save("train", images.train_images, images.train_labels, train)
    dataset.save("validation", images.train_images, images.train_labels, validation)
    dataset.save("test", images.test_images, images.test_labels)
    ood_datasets.save(data.source, data.ood_exclude, data.size)
    files.write_json(paths.CLASSES, images.class_names)
    paths.GROUPS.unlink(missing_ok=True)
    if images.train_groups is not None:  # for `make audit LABELS=1`
        with files.replacing(paths.GROUPS) as beside:
            np.save(beside, images.train_groups[train])
    paths.EXCLUDED.unlink(missing_ok=True)
    if excluded := sources.excluded(data):
        files.write_json(paths.EXCLUDED, excluded)
        progress.log(f"{paths.EXCLUDED}: {len(excluded):,} left out (data.exclude)")
    counts = f"{len(train):,} training, {len(validation):,} validation, {len(images.test_labels):,} test"
    progress.log(f"{paths.PROCESSED}: {counts} images of {len(images.class_names)} classes")


if __name__ == "__main__":
    stage_process.run(main)
