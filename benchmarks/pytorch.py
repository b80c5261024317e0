"""Plain PyTorch: the same networks, batch size and optimizers, with a DataLoader and a loop."""

import sys
from pathlib import Path

import numpy as np
import torch
from ruamel.yaml import YAML
from torch import nn

# module and the shape of its output: (channels, side, side) or (units,)
Layer = tuple[nn.Module, tuple[int, ...]]


def main(folder: Path, epochs: int) -> None:
    """Train the notebook's models, those in `report.reference` of params.yaml, on the images in `folder`."""
    content = YAML(typ="safe").load(Path("params.yaml"))
    images = torch.from_numpy(np.load(folder / "images.npy")).permute(0, 3, 1, 2).contiguous().float() / 255
    labels = torch.from_numpy(np.load(folder / "labels.npy")).long()
    data = torch.utils.data.TensorDataset(images, labels)
    loader = torch.utils.data.DataLoader(data, batch_size=content["train"]["batch_size"], shuffle=True)
    for name in content["report"]["reference"]:
        entry = content["models"][name]
        torch.manual_seed(content["train"]["seeds"][0])
        model, sigmoid = network(entry["layers"])
        (kind, given), *_ = entry["optimizer"].items()
        optimizer = getattr(torch.optim, kind)(model.parameters(), lr=given["learning_rate"])
        print(f"{name}: {sum(p.numel() for p in model.parameters()):,} parameters")
        for epoch in range(1, epochs + 1):
            loss, accuracy = train(model, sigmoid, loader, optimizer)
            print(f"{name}: epoch {epoch}/{epochs}: loss {loss:.4f}, accuracy {accuracy:.4f}", flush=True)


def network(layers: list[dict]) -> tuple[nn.Module, bool]:
    """Build the network without its last activation; return it and whether that activation is a sigmoid."""
    modules: list[nn.Module] = []
    shape: tuple[int, ...] = (3, 32, 32)
    for specification in layers:
        ((kind, given),) = specification.items()
        module, shape = build(kind, given, shape)
        modules += [module, nn.ReLU()] if given.get("activation") == "relu" else [module]
    return nn.Sequential(*modules), given["activation"] == "sigmoid"


def build(kind: str, given: dict, shape: tuple[int, ...]) -> Layer:
    """Convert a Keras layer of the compared models."""
    match kind:
        case "Conv2D":
            side = shape[1] - given["kernel_size"] + 1
            module = nn.Conv2d(shape[0], given["filters"], given["kernel_size"])
            return module, (given["filters"], side, side)
        case "MaxPooling2D":
            side = shape[1] // given["pool_size"]
            return nn.MaxPool2d(given["pool_size"]), (shape[0], side, side)
        case "Flatten":
            return nn.Flatten(), (int(np.prod(shape)),)
        case "Dense":
            units = 10 if given["units"] == "num_classes" else given["units"]
            return nn.Linear(shape[0], units), (units,)
    raise SystemExit(
        f"error: benchmarks/pytorch.py: unknown layer {kind}, expected Conv2D, MaxPooling2D, Flatten or Dense"
    )


def train(
    model: nn.Module, sigmoid: bool, loader: torch.utils.data.DataLoader, optimizer: torch.optim.Optimizer
) -> tuple[float, float]:
    """Train for an epoch; return its mean loss (nats) and accuracy."""
    loss_sum, correct, seen = 0.0, 0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        logits = model(images)
        if sigmoid:
            scores = torch.sigmoid(logits)
            loss = nn.functional.nll_loss(torch.log(scores / scores.sum(dim=1, keepdim=True)), labels)
        else:
            loss = nn.functional.cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        correct += (logits.argmax(dim=1) == labels).sum().item()
        seen += len(labels)
    return loss_sum / seen, correct / seen


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
