"""Paths of all artifacts, relative to the root of the repository, where every stage runs."""

import re
from pathlib import Path

PARAMS = Path("params.yaml")
VERSIONS = Path("versions.yaml")  # versions of the libraries that decide the bytes of results

SEARCH = Path("search.db")  # trials of searches for hyper-parameters, ignored by git
EXPORTS = Path("exports")  # of `cifar10-export`, ignored by git and DVC

# download
PARTIAL = Path("data/partial")  # unfinished downloads, ignored by git and DVC
RAW = Path("data/raw")
ARCHIVE = RAW / "cifar-10-python.tar.gz"
SOURCE = RAW / "source.json"  # source, file, bytes, sha256, official

# preprocess
PROCESSED = Path("data/processed")
CLASSES = PROCESSED / "classes.json"  # class names, in the order of the labels
EXCLUDED = PROCESSED / "excluded.json"  # pictures that data.exclude leaves out; no file if there are none
OOD = PROCESSED / "ood.npz"  # OOD datasets by name: uint8 (N, 32, 32, 3)
OOD_PICTURES = PROCESSED / "ood_pictures.json"  # of each dataset of crops, in order: crops by picture
GROUPS = PROCESSED / "groups.npy"  # of the training images, int64 (N,); no file without groups
PERSON = PROCESSED / "person.npy"  # a portrait: uint8 (32, 32, 3), or (0, 32, 32, 3) if it is left out

MODELS = Path("models")

REPORTS = Path("reports")
METRICS = REPORTS / "metrics"
AUDIT = REPORTS / "audit.json"  # copies and faulty pictures in data/processed, kept in git
DATASET = REPORTS / "dataset.json"  # facts about the source, size of each split
FIGURES = REPORTS / "figures"
CURVES = REPORTS / "curves.csv"  # training histories: model,seed,epoch,loss,accuracy,val_loss,val_accuracy
LABEL_CANDIDATES = REPORTS / "label_candidates.csv"  # validation and test pictures, likeliest first
CONFUSION = REPORTS / "confusion.csv"  # confusion matrices, summed over seeds: model,actual,predicted,images
RESULTS = REPORTS / "results.md"
REPORT = REPORTS / "report.html"


def base_weights(sha256: str, name: str) -> Path:
    """File of the weights of a base from an address; Keras reads the format from the ending of `name`."""
    return RAW / "weights" / f"{sha256}{'.weights' * name.endswith('.weights.h5')}.h5"


def images(split: str) -> Path:
    """Images of `train`, `validation` or `test`: uint8 (N, 32, 32, 3)."""
    return PROCESSED / split / "images.npy"


def labels(split: str) -> Path:
    """Labels of `train`, `validation` or `test`: int64 (N,)."""
    return PROCESSED / split / "labels.npy"


def model(name: str, seed: int) -> Path:
    """Trained model: architecture and weights."""
    return MODELS / name / f"seed_{seed}.h5"


def ood_detector(name: str, seed: int) -> Path:
    """OOD detector of a trained model: score, threshold, class names."""
    return MODELS / name / f"seed_{seed}.ood.npz"


def checkpoint(name: str, seed: int) -> Path:
    """State of an unfinished training, ignored by git and DVC."""
    return MODELS / "checkpoints" / f"{name}-seed_{seed}.npz"


def features(key: str) -> Path:
    """Features of the images of a split by a frozen base, float32 (N, D); ignored by git and DVC."""
    return MODELS / "checkpoints" / f"features-{key}.npy"


def lock(work: str) -> Path:
    """Lock of a stage, or of `repro`, while it runs; ignored by git and DVC."""
    name = re.sub(r"[^\w@.-]", "_", work)
    return MODELS / "checkpoints" / f"{name}.lock"


def history(name: str, seed: int) -> Path:
    """Training history: epoch,loss,accuracy,val_loss,val_accuracy, and kept unless the last epoch is."""
    return REPORTS / "histories" / name / f"seed_{seed}.csv"


def evaluation(name: str, seed: int) -> Path:
    """Metrics of one trained model."""
    return REPORTS / "evaluations" / name / f"seed_{seed}.json"


def ood_metrics(name: str, seed: int) -> Path:
    """Metrics of the OOD detector of one trained model."""
    return REPORTS / "ood" / name / f"seed_{seed}.json"


def ood_scores(name: str, seed: int) -> Path:
    """ID scores of all validation, test, OOD and corrupted test images: dataset,id_score."""
    return REPORTS / "scores" / name / f"seed_{seed}.csv"


def explanations(name: str, seed: int) -> Path:
    """Saliency maps of some test images and of the portrait, and its nearest training images."""
    return REPORTS / "explanations" / name / f"seed_{seed}.npz"


def predictions(name: str, seed: int) -> Path:
    """Predictions for all test images: actual,predicted and a probability per class."""
    return REPORTS / "predictions" / name / f"seed_{seed}.csv"


def validation_predictions(name: str, seed: int) -> Path:
    """Predictions for all validation images, with the same columns; no row without validation images."""
    return REPORTS / "predictions" / name / f"seed_{seed}.validation.csv"


def architecture(name: str, seed: int) -> Path:
    """Layers of a trained model, with output shapes and parameter counts."""
    return REPORTS / "architectures" / name / f"seed_{seed}.json"


def metrics(name: str) -> Path:
    """Metrics of a model over its seeds, kept in git: means and standard deviations."""
    return METRICS / f"{name}.json"
