"""Read the CIFAR-10 archive as its authors lay it out: a tar of pickled batches, never extracted to disk."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

from cifar10.data import pickles
from cifar10.data.images import Images
from cifar10.errors import UserError

TRAIN = tuple(f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6))
TEST = "cifar-10-batches-py/test_batch"
META = "cifar-10-batches-py/batches.meta"
MEMBERS = (*TRAIN, TEST, META)

MEMBER_LIMIT = 2**29  # bytes; the official batches have 31 million
LIMIT = 2**32  # bytes unpacked; what unpacks to more is made to fill the memory

Batch = tuple[np.ndarray, np.ndarray]  # uint8 (N, 32, 32, 3), int64 (N,)


def read(file: IO[bytes], name: str) -> Images:
    """Read an archive of the official layout to its last byte; any number of images per batch will do.

    Args:
        file: open for reading, at its start; the images come in its order, training batches 1 to 5.
        name: of the archive, for messages.

    Raises:
        UserError: it is damaged, cut off or of another layout; names the member and the fault.
    """
    batches: dict[str, Batch] = {}
    class_names: list[str] = []
    for member, payload in _members(file, name):
        try:
            content = pickles.load(payload)
            if member == META:
                class_names = _class_names(content)
            else:
                batches[member] = _batch(content)
        except ValueError as error:
            raise UserError(f"{name}: {member}: {error}") from None
    for member, (_, labels) in batches.items():
        if labels.max() >= len(class_names):
            found = f"label {labels.max()}, but there are {len(class_names)} class names"
            raise UserError(f"{name}: {member}: {found} in {META}")
    train_images = np.concatenate([batches[member][0] for member in TRAIN])
    train_labels = np.concatenate([batches[member][1] for member in TRAIN])
    return Images(class_names, train_images, train_labels, *batches[TEST])


class _Bounded:
    """A stream that refuses to unpack without end."""

    def __init__(self, stream: gzip.GzipFile):
        self._stream = stream
        self._left = LIMIT

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise tarfile.ReadError(f"it unpacks to more than {LIMIT:,} bytes")
        return content


def _members(file: IO[bytes], name: str) -> Iterator[tuple[str, bytes]]:
    """Unpack the members that matter, as they come, each once."""
    missing = set(MEMBERS)
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            stream = _Bounded(unpacked)
            with tarfile.open(fileobj=stream, mode="r|", bufsize=2**20) as tar:  # type: ignore[call-overload]
                for member in tar:
                    if member.name in MEMBERS:
                        yield member.name, _content(tar, member, member.name in missing)
                        missing.remove(member.name)
            while stream.read(2**20):  # to the checksum at the end
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise UserError(f"{name} is no complete .tar.gz archive ({error}): get it again") from None
    if missing:
        found = f"{', '.join(sorted(missing))} missing"
        raise UserError(f"{name} has not the layout of cifar-10-python.tar.gz: {found}")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, is_first: bool) -> bytes:
    file = tar.extractfile(member) if member.isreg() and member.size <= MEMBER_LIMIT and is_first else None
    if file is None:
        raise tarfile.ReadError(f"{member.name} is no single regular file of at most {MEMBER_LIMIT:,} bytes")
    return file.read()


def _class_names(content: dict[str, Any]) -> list[str]:
    names = content.get("label_names")
    if not isinstance(names, list) or not all(isinstance(name, str | bytes) for name in names):
        raise ValueError("expected a list of strings under 'label_names'")
    texts = [name.decode("utf-8") if isinstance(name, bytes) else name for name in names]
    if len(texts) < 2 or len(set(texts)) < len(texts):
        raise ValueError(f"expected at least two different 'label_names', found {texts}")
    return texts


def _batch(content: dict[str, Any]) -> Batch:
    """Check a batch and put the values of each pixel side by side; they come as three planes in a row."""
    data = content.get("data")
    if not isinstance(data, np.ndarray):
        raise ValueError("expected an array under 'data'")
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072 or len(data) == 0:
        raise ValueError(f"'data': expected uint8 (N, 3072), found {data.dtype} {data.shape}")
    labels = _labels(content.get("labels"))
    if len(labels) != len(data):
        raise ValueError(f"expected as many 'labels' as images, found {len(labels)} for {len(data)}")
    return np.ascontiguousarray(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def _labels(value: Any) -> np.ndarray:
    labels = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 2**31 for label in labels):
        raise ValueError("expected a list of whole numbers from 0 under 'labels'")
    return np.array(labels, np.int64)
