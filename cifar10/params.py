"""Load and check params.yaml. An error names the key, its value and the allowed values."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from cifar10 import image_size, paths, yaml_text
from cifar10.base_options import BaseOption
from cifar10.errors import UserError
from cifar10.train_options import (
    BatchSize,
    ClassWeight,
    EarlyStopping,
    Epochs,
    Images,
    Keep,
    LabelSmoothing,
    ModelTrain,
)
from cifar10.train_options import Section as _Section

LARGEST = 2.0**63  # of the numbers in the arguments of a Keras class
LONGEST = 200  # characters of a value in an error message
NUM_CLASSES = "num_classes"  # placeholder for the number of classes, in the arguments of a layer


Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Cifar10(_Section):
    """Download of the CIFAR-10 archive."""

    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    mirrors: Annotated[list[Annotated[str, StringConstraints(pattern="^https?://")]], Field(min_length=1)]
    minimum_rate: Annotated[float, Field(ge=0)]  # kB/s
    window: Annotated[float, Field(gt=0)]  # seconds


def _plain_path(folder: str) -> str:
    """Refuse a path that no system has, and "~", which only shells replace by the home folder."""
    if any(letter < " " for letter in folder):
        raise ValueError("expected a path without control characters")
    if folder.startswith("~"):
        raise ValueError("expected a path that does not begin with ~: write the home folder in full")
    return folder


def _pattern(text: str) -> str:
    """Refuse a text that is no regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return text


def _image_size(value: Any) -> Any:
    """Check a number of pixels or [height, width]."""
    image_size.parse(value)
    return value


ImageSize = Annotated[int | list[int], BeforeValidator(_image_size)]
OODDataset = Literal["digits", "faces", "photographs", "textures", "noise", "cifar100", "clothes", "person"]


class Data(_Section):
    """Image source and validation split."""

    source: Literal["cifar10", "digits", "folder"]
    validation_fraction: Annotated[float, Field(ge=0, lt=1)]
    seed: Seed
    folder: Annotated[str, StringConstraints(min_length=1), AfterValidator(_plain_path)]
    test_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    labels: Annotated[str, StringConstraints(min_length=1)] | None = None
    groups: Annotated[str, StringConstraints(min_length=1), AfterValidator(_pattern)] | None = None
    exclude: list[Annotated[str, StringConstraints(min_length=1)]] = Field([])
    image_size: ImageSize = 32
    ood_exclude: list[OODDataset] = Field([])
    cifar10: Cifar10

    @field_validator("image_size")
    @classmethod
    def _of_folders(cls, size: int | list[int], found: ValidationInfo) -> int | list[int]:
        """Refuse another size than that of the images for a source that has one."""
        source, fixed = found.data.get("source"), image_size.CIFAR10
        if source not in (None, "folder") and image_size.parse(size) != fixed:
            raise ValueError(f"expected {fixed[0]}: source: {source} has images of one size")
        return size

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return image_size.parse(self.image_size)


def _different(seeds: list[int]) -> list[int]:
    """Refuse a list in which a seed occurs twice."""
    twice = [seed for seed in dict.fromkeys(seeds) if seeds.count(seed) > 1]
    if twice:
        raise ValueError(f"expected different seeds, {twice[0]} occurs {seeds.count(twice[0])} times")
    return seeds


class Train(_Section):
    """Settings of the trainings; `models.NAME.train` can replace some."""

    epochs: Epochs
    batch_size: BatchSize
    seeds: Annotated[list[Seed], Field(min_length=1), AfterValidator(_different)]
    portable: bool
    label_smoothing: LabelSmoothing = 0.0
    class_weight: ClassWeight = None
    keep: Keep = "last"
    early_stopping: EarlyStopping | None = None
    images: Images = None
    device: Literal["cpu", "gpu"] = "cpu"
    threads: Annotated[int, Field(ge=1, le=256)] = 1  # of one training
    dtype: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"  # of a layer's arithmetic

    @field_validator("dtype")
    @classmethod
    def _on_a_gpu(cls, dtype: str, found: ValidationInfo) -> str:
        """Refuse 16-bit arithmetic on a CPU: oneDNN has none for AVX2, and other kernels are far slower."""
        if dtype != "float32" and found.data.get("device") == "cpu":
            raise ValueError("expected float32 with `device: cpu`, where 16-bit arithmetic is slower")
        return dtype


class Reference(_Section):
    """Reference results of a model: training images, last epoch."""

    accuracy: Annotated[float, Field(ge=0, le=1)]
    loss: Annotated[float, Field(ge=0)]
    parameters: Annotated[int, Field(ge=0)]


class Report(_Section):
    """Settings of the report."""

    seed: Seed
    reference: dict[str, Reference]


def one_entry(value: Any) -> Any:
    """Expand `Flatten` to `Flatten: {}`; accept only one class name with its arguments."""
    if isinstance(value, str):
        value = {value: {}}
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("expected one Keras class with its arguments, as in `Dense: {units: 10}`")
    (name, arguments), *_ = value.items()
    _check_plain(arguments)
    return {name: {} if arguments is None else arguments}


def _check_plain(value: Any) -> None:
    """Refuse what JSON cannot hold in the arguments of a Keras class."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        for each in value.values():
            _check_plain(each)
    elif isinstance(value, list):
        for each in value:
            _check_plain(each)
    elif isinstance(value, int | float) and not abs(value) < LARGEST:
        raise ValueError(f"expected finite numbers below 2^63, found {value!r:.40}")
    elif not isinstance(value, int | float | str | None):
        raise ValueError(
            f"expected numbers, texts, booleans and lists, found the {type(value).__name__} {value!s:.40}: "
            "write a text in quotes"
        )


KerasObject = Annotated[dict[str, dict[str, Any]], BeforeValidator(one_entry)]  # {class: arguments}


class Augment(_Section):
    """Changes of a model's training images, and synthetic outliers beside them."""

    flip: Literal["horizontal", "alternating"] | None = None
    shift: Annotated[int, Field(ge=0, le=127)] = 0  # pixels, less than the sides of the images
    cutout: Annotated[int, Field(ge=0, le=image_size.LARGEST)] = 0  # pixels, side of the square
    outliers: Annotated[float, Field(ge=0, le=1)] = 0  # synthetic ones per image of a batch
    outlier_weight: Annotated[float, Field(gt=0, le=10)] = 0.5  # of the mean loss of a batch's outliers

    @field_validator("outlier_weight")
    @classmethod
    def _of_outliers(cls, weight: float, found: ValidationInfo) -> float:
        """Refuse a weight of outliers that do not exist; a default value is not checked."""
        if not found.data.get("outliers", True):  # not there if its own check failed
            raise ValueError(
                "expected outliers beside it, as in `outliers: 0.125`: set both, or leave it out"
            )
        return weight


class Model(_Section):
    """A network, its optimizer, the augmentation of its images, and settings that differ from `train`."""

    optimizer: KerasObject
    layers: Annotated[list[KerasObject], Field(min_length=1)]
    base: BaseOption = None
    augment: Augment | None = None
    train: ModelTrain = ModelTrain()

    @field_validator("augment")
    @classmethod
    def _trains_on_images(cls, augment: Augment | None, found: ValidationInfo) -> Augment | None:
        """Refuse an augmentation of images whose features are computed once."""
        base = found.data.get("base")
        if augment is not None and base is not None and base.train == "none":
            raise ValueError(
                f"expected no augmentation with the base {base.name}, whose features are computed once with "
                "`train: none`: leave augment out, or set `train: last_blocks`"
            )
        return augment


NAME = "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"
RESERVED = (
    "checkpoints",
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)),
)
ModelName = Annotated[str, StringConstraints(pattern=NAME)]


def _different_folders(models: dict[str, Model]) -> dict[str, Model]:
    """Refuse names that cannot be folders of their own in models/ on every system."""
    lower = [name.lower() for name in models]
    for name in models:
        if name.lower() in RESERVED:
            raise ValueError(f"expected another name than {name}, which is reserved for a folder or a device")
        if lower.count(name.lower()) > 1:
            raise ValueError(f"expected names that differ in more than case, found {name} and another")
    return models


class Predict(_Section):
    """Settings of predictions. They are not in the entries of models, so an edit retrains no model."""

    mirror: list[str] = Field(default=[])  # names of models


class Params(_Section):
    """Content of params.yaml."""

    data: Data
    train: Train
    report: Report
    models: Annotated[dict[ModelName, Model], Field(min_length=1), AfterValidator(_different_folders)]
    predict: Predict = Predict()

    @field_validator("predict")
    @classmethod
    def _known(cls, predict: Predict, found: ValidationInfo) -> Predict:
        """Refuse names of models that do not exist."""
        models = found.data.get("models")  # not there if its own check failed
        unknown = [name for name in predict.mirror if models is not None and name not in models]
        if unknown:
            raise ValueError(
                f"expected names of models in mirror ({', '.join(models or ())}), found {unknown[0]!r}"
            )
        return predict

    def model(self, name: str) -> Model:
        """Return the entry `models.<name>`.

        Raises:
            UserError: no model has this name.
        """
        if name not in self.models:
            raise UserError(f"{paths.PARAMS}: models: got {name!r}, expected one of {', '.join(self.models)}")
        return self.models[name]

    def train_of(self, name: str) -> Train:
        """Return the settings of a model's trainings: `train`, replaced by `models.<name>.train`."""
        own = self.models[name].train
        return self.train.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})

    def seed(self, text: str) -> int:
        """Return the seed of `train.seeds` that is written as `text`.

        Raises:
            UserError: the list does not contain it.
        """
        known = {str(seed): seed for seed in self.train.seeds}
        if text not in known:
            raise UserError(f"{paths.PARAMS}: train.seeds: got {text!r}, expected one of {', '.join(known)}")
        return known[text]


def load(path: Path = paths.PARAMS) -> Params:
    """Read and check a parameter file.

    Raises:
        UserError: the file is missing or not YAML, or a key is unknown, missing or out of range.
    """
    try:
        return parse(path.read_bytes(), path)
    except FileNotFoundError:
        raise UserError(
            f"{path} not found in {Path.cwd()}: run this from the repository's root folder"
        ) from None


def parse(text: bytes | str, path: Path = paths.PARAMS) -> Params:
    """Check the text of a parameter file; `path` is its name in error messages.

    Raises:
        UserError: the text is not YAML, or a key is unknown, missing or out of range.
    """
    content = yaml_text.parse(text, str(path))
    if content is None:
        raise UserError(f"{path} is empty, expected the sections {', '.join(Params.model_fields)}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """Describe the first fault of a parameter file in one line."""
    # A misspelt key is both unknown and missing: report the unknown one.
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    where = [str(part) for part in fault["loc"] if part != "[key]"]
    key = ".".join(where) or "the whole file"
    if fault["loc"][-1:] == ("[key]",):
        return (
            f"{'.'.join(where[:-1])}: got the name {_short(fault['input'])}, expected a text of letters, "
            "digits, - and _"
        )
    match fault["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key, expected one of {', '.join(_siblings(fault['loc']))}"
        case "missing":
            return f"{key}: missing"
        case "value_error":
            message = str(fault["ctx"]["error"])
        case _:
            message = (
                fault["msg"].replace("Input should be", "expected").replace("String should", "expected to")
            ).partition(" or instance of ")[0]
    hint = ": write it in quotes" if fault["type"] == "string_type" else ""
    return f"{key}: got {_short(fault['input'])}, {message[0].lower()}{message[1:]}{hint}"


def _short(value: Any) -> str:
    """Write a value in at most LONGEST characters."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """List the valid keys of the section around `location`."""
    section: Any = Params
    for part in location[:-1]:
        annotation = section.model_fields[part].annotation if part in section.model_fields else None
        if annotation is None:  # name of a model or a reference
            continue
        entries = [kind for kind in getattr(annotation, "__args__", ()) if isinstance(kind, type)]
        section = next(
            (kind for kind in [annotation, *entries[::-1]] if hasattr(kind, "model_fields")), section
        )
    return list(section.model_fields)
