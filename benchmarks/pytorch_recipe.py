"""model_3's recipe in plain PyTorch: network, loss, optimizer and schedule, on one thread."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

LAST = torch.channels_last
BN_EPSILON = 1e-3  # as in Keras


class Residual(nn.Module):
    """Add the input to the output of layers."""

    def __init__(self, layers: nn.Module):
        """Keep the layers."""
        super().__init__()
        self.layers = layers

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Add."""
        return inputs + self.layers(inputs)


class Scaled(nn.Module):
    """Multiply, then add."""

    factor: torch.Tensor
    offset: torch.Tensor

    def __init__(self, factor: Any, offset: Any = 0.0):
        """Keep numbers, or one number per channel."""
        super().__init__()
        self.register_buffer("factor", torch.as_tensor(factor, dtype=torch.float32))
        self.register_buffer("offset", torch.as_tensor(offset, dtype=torch.float32))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Scale."""
        return inputs * self.factor + self.offset


def network(layers: Iterable[dict[str, Any]], classes: int) -> nn.Sequential:
    """Convert layers of params.yaml, without the last Softmax; float (N, 3, 32, 32) in [0, 1] to logits."""
    modules, _ = _chain(layers, 3, classes)
    model = nn.Sequential(*modules)
    for weight in model.parameters():  # the channels last in memory, as in `put`
        weight.data = weight.data.contiguous(memory_format=LAST) if weight.ndim == 4 else weight.data
    return model


def _chain(layers: Iterable[dict[str, Any]], channels: int, classes: int) -> tuple[list[nn.Module], int]:
    modules: list[nn.Module] = []
    for specification in layers:
        ((kind, given),) = specification.items()
        match kind:
            case "Normalization":
                mean, deviation = np.array(given["mean"]), np.sqrt(given["variance"])
                shape = (1, len(mean), 1, 1)
                modules.append(Scaled((1 / deviation).reshape(shape), (-mean / deviation).reshape(shape)))
            case "Conv2D":
                size = given["kernel_size"]
                modules.append(nn.Conv2d(channels, given["filters"], size, padding=size // 2, bias=False))
                channels = given["filters"]
            case "BatchNormalization":
                modules.append(nn.BatchNorm2d(channels, BN_EPSILON, 1 - given.get("momentum", 0.99)))
            case "Activation":
                modules.append({"gelu": nn.GELU, "relu": nn.ReLU}[given["activation"]]())
            case "MaxPooling2D":
                modules.append(nn.MaxPool2d(given["pool_size"]))
            case "Residual":
                inner, _ = _chain(given["layers"], channels, classes)
                modules.append(Residual(nn.Sequential(*inner)))
            case "GlobalMaxPooling2D":
                modules += [nn.AdaptiveMaxPool2d(1), nn.Flatten()]
            case "Dense":
                modules.append(nn.Linear(channels, classes, bias=False))
            case "Rescaling":
                modules.append(Scaled(given["scale"]))
            case "Softmax":
                pass  # within the loss
            case _:
                raise SystemExit(f"error: benchmarks/pytorch_recipe.py: unknown layer {kind}")
    return modules, channels


def initialize(model: nn.Module) -> None:
    """Draw weights as Keras does by default (Glorot and Bengio, 2010)."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)


def load(model: nn.Module, kernels: Iterable[np.ndarray]) -> None:
    """Copy the kernels of a Keras model, in order: (H, W, C, F) of convolutions, (D, K) of dense layers."""
    places = [module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        for module, kernel in zip(places, kernels, strict=True):
            axes = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
            module.weight.copy_(torch.from_numpy(kernel.transpose(axes)))


def put(images: np.ndarray) -> torch.Tensor:
    """Convert uint8 (N, 32, 32, 3) to float (N, 3, 32, 32) in [0, 1], with the channels last in memory."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(255)


def make_train_step(
    model: nn.Module,
    settings: dict[str, Any],
    rate: Callable[[int], float],
    smoothing: float,
    outlier_weight: float,
) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a function that does one step on a batch and returns its loss.

    Args:
        model: from `network`.
        settings: of Keras' SGD: momentum, nesterov, weight_decay, which is decoupled.
        rate: learning rate of a step, from 0.
        smoothing: of the labels.
        outlier_weight: of the mean loss of outliers, whose label is -1; they come after the images.
    """
    optimizer = torch.optim.SGD(
        model.parameters(), lr=1, momentum=settings["momentum"], nesterov=settings["nesterov"], fused=True
    )
    parameters: list[torch.Tensor] = [*model.parameters()]
    step = 0

    def run(images: np.ndarray, labels: np.ndarray) -> float:
        nonlocal step
        now, step = rate(step), step + 1
        optimizer.param_groups[0]["lr"] = now
        logits, wanted = model(put(images)), torch.from_numpy(labels)
        count = int((wanted >= 0).sum())
        loss = nn.functional.cross_entropy(logits[:count], wanted[:count], label_smoothing=smoothing)
        if count < len(wanted):
            equal = torch.full_like(logits[count:], 1 / logits.shape[1])
            loss = loss + outlier_weight * nn.functional.cross_entropy(logits[count:], equal)
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            torch._foreach_mul_(parameters, 1 - now * settings["weight_decay"])
        optimizer.step()
        return float(loss.detach())

    return run


def accuracy(model: nn.Module, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of correct answers with the probabilities of both mirror images averaged."""
    model.eval()
    correct = 0
    with torch.no_grad():
        for start in range(0, len(labels), 500):
            batch = put(images[start : start + 500])
            mean = model(batch).softmax(1) + model(batch.flip(3)).softmax(1)
            correct += int((mean.argmax(1).numpy() == labels[start : start + 500]).sum())
    model.train()
    return correct / len(labels)
