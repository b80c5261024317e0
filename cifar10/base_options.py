"""The option `base` of a model in params.yaml: its type and values. cifar10/training/backbones builds it."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints

from cifar10 import paths
from cifar10.train_options import Section

IMAGENET = "imagenet"
ADDRESS = re.compile("https?://[^/]")
SCHEME = re.compile("[a-z][a-z0-9+.-]+:/", re.IGNORECASE)  # a path does not begin so, on any system


class Base(Section):
    """A network before the layers of a model.

    Attributes:
        name: EfficientNetLite0, or a network of `keras.applications`.
        weights: `imagenet`, the path or the address of an .h5 file, or None for new weights.
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

    @property
    def address(self) -> str | None:
        """The http or https address of the weights; None if they come from elsewhere."""
        return self.weights if self.weights and ADDRESS.match(self.weights) else None

    @property
    def file(self) -> Path | None:
        """The .h5 file of the weights: the given path, or where the stage `download` puts it."""
        if self.address and self.sha256:
            return paths.base_weights(self.sha256, urlsplit(self.address).path)
        return Path(self.weights) if self.weights not in (IMAGENET, None) else None


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
        raise ValueError("weights: missing, expected imagenet, the path or address of an .h5 file, or null")
    path = options["weights"] not in (IMAGENET, None)
    if SCHEME.match(str(options["weights"])) and not ADDRESS.match(str(options["weights"])):
        raise ValueError("weights: expected an address that begins with https:// or http://, or a path")
    if path != (options.get("sha256") is not None):
        raise ValueError(
            "expected sha256 beside the path or address of an .h5 file"
            if path
            else "sha256: has a meaning only beside the path or address of an .h5 file: leave it out"
        )
    return {"name": name, **options}


BaseOption = Annotated[Base, BeforeValidator(_one_network)] | None
