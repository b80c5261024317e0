"""Sentences about OOD detection that are true for any classes and any choice of OOD datasets."""

from collections.abc import Mapping, Sequence
from typing import Any

from cifar10.data import class_names
from cifar10.evaluation import corrupted, significance
from cifar10.evaluation.detector import RELIABLE
from cifar10.report.results import Model, Results

OPTION = "data.ood_exclude in params.yaml"
CROPS = {"photographs": "nine", "textures": "three"}  # source pictures of each dataset of crops
CORRUPTED = {  # kinds of corrupted test images
    "jpeg": f"JPEG, quality {corrupted.QUALITY}",
    "blur": f"Gaussian blur, radius {corrupted.RADIUS} pixel",
    "contrast": "half the contrast",
    "noise": "noise, sd 25",
}
LOOKS = {"jpeg": "strongly compressed", "blur": "blurred", "contrast": "low-contrast", "noise": "noisy"}
PACKAGES = {  # which ship the pictures of OOD datasets
    "scikit-learn": ("digits", "photographs"),
    "scikit-image": ("faces", "photographs", "textures"),
    "foolbox": ("cifar100", "clothes"),
}
HALF = 0.5  # an FPR or TPR above it: most images get a class


def person(classes: Sequence[str]) -> str:
    """Say whether a class fits the portrait."""
    if class_names.are_own(classes):
        leave_out = f"leave it out with `person` in {OPTION}"
        return f"If a class shows people, the portrait is no OOD image: {leave_out}."
    return "No class fits."


def datasets(found: Results, left_out: Sequence[str]) -> str:
    """Say which OOD datasets are left out, and for own classes, what to do about one that shows a class."""
    told = []
    if left_out:
        told.append(f"Left out, as {OPTION} says: {significance.listed(left_out)}.")
    if class_names.are_own(found.classes):
        told.append(
            "The OOD datasets were chosen for the classes of CIFAR-10. One that shows a class of yours is "
            f"not OOD, and its rates are wrong: name it in {OPTION}."
        )
    return " ".join(told)


def origin(names: Sequence[str]) -> str:
    """Say where the measured OOD datasets come from, and how few pictures some are."""
    told = []
    if shipped := [name for name in names if name != "noise"]:
        all_of = "All OOD datasets except the noise come" if "noise" in names else "All OOD datasets come"
        packages = [package for package, own in PACKAGES.items() if {*own} & {*shipped}]
        told.append(f"{all_of} with {significance.listed(packages)}.")
        if crops := [name for name in CROPS if name in shipped]:
            what = significance.listed(crops).capitalize()
            counts = significance.listed([CROPS[name] for name in crops])
            told.append(
                f"{what} are random crops of {counts} pictures, so their rates say little about other "
                "pictures."
            )
    return " ".join(told)


def area(detector: Mapping[str, Any], dataset: str) -> str:
    """Format an AUROC of `Model.detector` with its interval: "0.914 (0.905 to 0.922)"."""
    limits = detector["interval"][dataset]
    return f"{detector['auroc'][dataset]:.3f}" + (f" ({limits[0]:.3f} to {limits[1]:.3f})" if limits else "")


def intervals(model: Model) -> str:
    """Say what the intervals of the AUROC cover."""
    told = (
        "The 95 % intervals (DeLong et al., 1988) cover the choice of test images and of source pictures, "
        "not that of seeds."
    )
    if not (cut := [name for name in model.crops if name in model.detector["auroc"]]):
        return told
    crops = "Crops of one picture count as one image (Obuchowski, 1997)"
    return f"{told} {crops}: {significance.listed(cut)}."


def corruptions(model: Model) -> str:
    """List the TPR of a model on corrupted test images."""
    rates = model.detector["corrupted"].items()
    return significance.listed([f"{100 * rate:.1f} % ({CORRUPTED[kind]})" for kind, rate in rates])


def rejected(model: Model) -> str:
    """Say which corrupted test images mostly get "none of these", or how many of them do at most."""
    if most := _mostly_rejected(model):
        return f"{most} test images get *none of these*, although they show a class."
    kind, rate = min(model.detector["corrupted"].items(), key=lambda item: item[1])
    return (
        f"Of {LOOKS[kind]} test images, {100 - 100 * rate:.1f} % get *none of these*, although they show a "
        "class; other corruptions are rejected less often."
    )


def rejected_models(models: Sequence[Model]) -> list[str]:
    """Say the same of each model that mostly rejects a kind of corrupted test images."""
    found = {model.name: _mostly_rejected(model) for model in models}
    return [f"{most} test images get *none of these* from {name}." for name, most in found.items() if most]


def _mostly_rejected(model: Model) -> str:
    """List the kinds that are mostly rejected, and the shares: "Most blurred (97.7 %) and noisy (94.8 %)"."""
    rates = sorted(model.detector["corrupted"].items(), key=lambda item: item[1])
    kinds = [f"{LOOKS[kind]} ({100 - 100 * rate:.1f} %)" for kind, rate in rates if rate < HALF]
    return f"Most {significance.listed(kinds)}" if kinds else ""


def corrupted_images(model: Model) -> int:
    """Return the number of corrupted test images of each kind."""
    kind = next(iter(model.detector["corrupted"]))
    return int((model.scores["dataset"] == corrupted.dataset(kind)).sum())


def pseudo_ood(found: Results) -> str:
    """Say which pseudo-OOD images could not be made, because there are too few images."""
    kinds = found.models[0].first.ood["pseudo_ood"].values()
    unknown = list(dict.fromkeys(kind for areas in kinds for kind, area in areas.items() if area is None))
    if not unknown:
        return ""
    return (
        f"Too few images for {significance.listed(unknown)}: they are not measured, and the choice uses the "
        "other pseudo-OOD images."
    )


def unreliable(model: Model) -> str:
    """Warn of a detector with a low mean AUROC; "" for one without a warning."""
    if model.reliable is not False:
        return ""
    area = "mean AUROC of a single training" if len(model.trainings) > 1 else "mean AUROC"
    return f"Do not rely on *none of these* from this model: the {area} is below {RELIABLE}."


def people(model: Model) -> str:
    """Warn of images of people, for a model card."""
    fpr = model.detector["fpr"].get("faces")
    most = "" if not fpr else "most" if fpr > HALF else "some"
    still = f", and {most} such\nimages still get a class" if most else ""
    if class_names.are_own(model.classes):
        told = "Do not use it on images of people, unless a class shows people"
        return f"{told}: {most} images of\nfaces get a class" if most else told
    return f"Do not use it on images of people: no class is a person{still}"
