"""Paths of all artifacts, relative to the root of the repository, where every stage runs."""

from pathlib import Path

PARAMS = Path("params.yaml")
VERSIONS = Path("versions.yaml")  # versions of the libraries that decide the bytes of results

# download
PARTIAL = Path("data/partial")  # unfinished downloads, ignored by git and DVC
RAW = Path("data/raw")
ARCHIVE = RAW / "cifar-10-python.tar.gz"
SOURCE = RAW / "source.json"  # source, file, bytes, sha256, official

# preprocess
PROCESSED = Path("data/processed")
CLASSES = PROCESSED / "classes.json"  # class names, in the order of the labels

REPORTS = Path("reports")
DATASET = REPORTS / "dataset.json"  # facts about the source, size of each split
FIGURES = REPORTS / "figures"
CURVES = REPORTS / "curves.csv"  # all training histories: model,epoch,loss,accuracy,val_loss,val_accuracy
CONFUSION = REPORTS / "confusion.csv"  # all confusion matrices: model,actual,predicted,images
RESULTS = REPORTS / "results.md"
REPORT = REPORTS / "report.html"


def images(split: str) -> Path:
    """Images of `train`, `validation` or `test`: uint8 (N, 32, 32, 3)."""
    return PROCESSED / split / "images.npy"


def labels(split: str) -> Path:
    """Labels of `train`, `validation` or `test`: int64 (N,)."""
    return PROCESSED / split / "labels.npy"


def model(name: str) -> Path:
    """Trained model: architecture and weights."""
    return Path("models") / f"{name}.h5"


def checkpoint(name: str) -> Path:
    """State of an unfinished training, ignored by git and DVC."""
    return Path("models") / "checkpoints" / f"{name}.npz"


def ood_detector(name: str) -> Path:
    """OOD detector of a model: score, threshold, class names."""
    return Path("models") / f"{name}.ood.npz"


def history(name: str) -> Path:
    """Training history: epoch,loss,accuracy,val_loss,val_accuracy."""
    return REPORTS / "histories" / f"{name}.csv"


def metrics(name: str) -> Path:
    """Metrics of a model, kept in git."""
    return REPORTS / "metrics" / f"{name}.json"


def ood_metrics(name: str) -> Path:
    """Metrics of a model's OOD detector, kept in git."""
    return REPORTS / "ood" / f"{name}.json"


def ood_scores(name: str) -> Path:
    """ID scores of all test images and OOD images: dataset,id_score."""
    return REPORTS / "scores" / f"{name}.csv"


def predictions(name: str) -> Path:
    """Predictions for all test images: actual,predicted and a probability per class."""
    return REPORTS / "predictions" / f"{name}.csv"


def architecture(name: str) -> Path:
    """Layers of a model, with output shapes and parameter counts."""
    return REPORTS / "architectures" / f"{name}.json"
