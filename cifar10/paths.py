"""Where each artefact lies, relative to the repository's root, from which every stage runs."""

from pathlib import Path

PARAMS = Path("params.yaml")
VERSIONS = Path("versions.yaml")  # of the libraries that decide the bytes of results

# download
PARTIAL = Path("data/partial")  # downloads under way; neither git nor DVC keeps them
RAW = Path("data/raw")
ARCHIVE = RAW / "cifar-10-python.tar.gz"
SOURCE = RAW / "source.json"  # source, file, bytes, sha256, official

# preprocess
PROCESSED = Path("data/processed")
CLASSES = PROCESSED / "classes.json"  # class names, in the order of the labels

REPORTS = Path("reports")
DATASET = REPORTS / "dataset.json"  # the source's facts and the size of each split
FIGURES = REPORTS / "figures"
CURVES = REPORTS / "curves.csv"  # every model's history: model,epoch,loss,accuracy,val_loss,val_accuracy
CONFUSION = REPORTS / "confusion.csv"  # every model's confusion matrix: model,actual,predicted,images
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
    """State of a training under way; neither git nor DVC keeps it."""
    return Path("models") / "checkpoints" / f"{name}.npz"


def ood_detector(name: str) -> Path:
    """Score and threshold that tell images of no class from the known ones; class names."""
    return Path("models") / f"{name}.ood.npz"


def history(name: str) -> Path:
    """Training history: epoch,loss,accuracy,val_loss,val_accuracy."""
    return REPORTS / "histories" / f"{name}.csv"


def metrics(name: str) -> Path:
    """Metrics of a model, kept in git."""
    return REPORTS / "metrics" / f"{name}.json"


def ood_metrics(name: str) -> Path:
    """How well a model tells images of no class from the known ones, kept in git."""
    return REPORTS / "ood" / f"{name}.json"


def ood_scores(name: str) -> Path:
    """Score of every test image and image of no class: kind,score."""
    return REPORTS / "scores" / f"{name}.csv"


def predictions(name: str) -> Path:
    """Predictions for every test image: actual,predicted and a probability per class."""
    return REPORTS / "predictions" / f"{name}.csv"


def architecture(name: str) -> Path:
    """Layers of a model with their output shapes and parameter counts."""
    return REPORTS / "architectures" / f"{name}.json"
