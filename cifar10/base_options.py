"""The option `base` of a model in params.yaml: its type and values. cifar10/training/backbones builds it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from cifar10.train_options import Section

IMAGENET = "imagenet"


class Base(Section):
    """A network before the layers of a model.

    Attributes:
        name: EfficientNetLite0, or a network of `keras.applications`.
        weights: `imagenet`, the path of an .h5 file, or None for new weights.
        sha256: of the .h5 file.
        train: what is trained beside the model's own layers: nothing, the layers at the last resolution, or
            all.
        image_size: to which the network scales its input, in pixels.
    """

    name: str
    weights: str | None
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] | None = None
    train: Literal["none", "last_blocks", "all"] = "none"
    image_size: Annotated[int, Field(ge=32, le=1024)] = 128


def _one_network(value: Any) -> Any:
    """Turn `{NAME: {weights: ...}}` into the fields of `Base`."""
    if isinstance(value, Base):
        return value
    example = "expected one network with its options, as in `EfficientNetLite0: {weights: imagenet}`"
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(example)
    ((name, options),) = value.items()
    if not isinstance(name, str) or not isinstance(options, dict):
        raise ValueError(example)
    names = [option for option in Base.model_fields if option != "name"]
    for option in options:
        if option not in names:
            raise ValueError(f"unknown option {option!r:.40}, expected one of {', '.join(names)}")
    if "weights" not in options:
        raise ValueError("weights: missing, expected imagenet, the path of an .h5 file, or null")
    path = options["weights"] not in (IMAGENET, None)
    if path != (options.get("sha256") is not None):
        raise ValueError(
            "expected sha256 beside the path of an .h5 file"
            if path
            else "sha256: has a meaning only beside the path of an .h5 file: leave it out"
        )
    return {"name": name, **options}


BaseOption = Annotated[Base, BeforeValidator(_one_network)] | None
