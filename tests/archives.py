"""Small archives of the official layout, valid and damaged."""

import io
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
FOLDER = "cifar-10-batches-py"
BATCHES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw images uint8 (count, 32, 32, 3) and labels, with equal numbers per class."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, 32, 32, 3), np.uint8), np.arange(count) % 10


def batch(images: np.ndarray, labels: np.ndarray) -> dict[bytes, Any]:
    """Lay images out as the official batches do: red plane, green plane, blue plane."""
    planes = [images[..., channel].reshape(len(images), 1024) for channel in range(3)]
    return {
        b"batch_label": b"training batch 1 of 5",
        b"labels": labels.tolist(),
        b"data": np.concatenate(planes, axis=1),
        b"filenames": [b"picture.png"] * len(images),
    }


def contents(count: int = 20) -> dict[str, Any]:
    """Make the content of every member, `count` images per batch."""
    members: dict[str, Any] = {name: batch(*pictures(count, seed)) for seed, name in enumerate(BATCHES)}
    return members | {"batches.meta": {b"label_names": [name.encode() for name in NAMES], b"num_vis": 3072}}


def pack(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    """Write a .tar.gz of files (full name: content) and other members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return packed.getvalue()


def pickled(content: dict[str, Any], protocol: int = 2) -> dict[str, bytes]:
    """Pickle contents under their full names."""
    return {f"{FOLDER}/{name}": pickle.dumps(value, protocol) for name, value in content.items()}


def small(count: int = 20) -> bytes:
    """Write a valid archive of 6 * count images."""
    return pack(pickled(contents(count)))


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def python2_batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Pickle a batch as Python 2 with numpy 1 did, opcode by opcode: its strings are 8-bit strings."""
    data = np.concatenate([images[..., channel].reshape(len(images), 1024) for channel in range(3)], axis=1)
    return b"".join([
        b"\x80\x02}q\x01(",  # protocol 2, dict, memo 1, mark
        _str("batch_label") + _str("training batch 1 of 5"),
        _str("labels") + b"]q\x02(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e",
        _str("data") + b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04",
        b"K\x00\x85" + _str("b") + b"\x87Rq\x05(K\x01M" + struct.pack("<H", len(images)) + b"M\x00\x0c\x86",
        b"cnumpy\ndtype\nq\x06" + _str("u1") + b"K\x00K\x01\x87Rq\x07(K\x03" + _str("|"),
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",  # state of the dtype; not in Fortran's order
        b"T" + struct.pack("<i", data.size) + data.tobytes() + b"tb",  # state of the array
        _str("filenames") + b"](" + _str("picture.png") * len(images) + b"e",
        b"u.",
    ])  # fmt: skip


def python2_meta(names: list[str]) -> bytes:
    """Pickle batches.meta as Python 2 did."""
    listed = b"](" + b"".join(map(_str, names)) + b"e"
    return b"\x80\x02}(" + _str("label_names") + listed + _str("num_vis") + b"M\x00\x0cu."


def _str(text: str) -> bytes:
    return b"U" + bytes([len(text)]) + text.encode()
