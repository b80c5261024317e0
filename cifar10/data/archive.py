"""Read the CIFAR-10 archive, a tar of pickled batches, without extracting it to disk."""

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

MEMBER_LIMIT = 2**29  # bytes; an official batch has 31 million
LIMIT = 2**32  # bytes unpacked; a larger archive is treated as a decompression bomb

Batch = tuple[np.ndarray, np.ndarray]  # uint8 (N, 32, 32, 3), int64 (N,)


def read(file: IO[bytes], name: str) -> Images:
    """Read a complete archive of the official layout; a batch may have any number of images.

    Images keep the order of the archive, training batches 1 to 5.

    Args:
        file: open for reading, at its start.
        name: name of the archive, for messages.

    Raises:
        UserError: the archive is damaged, truncated or of another layout; names the member and the fault.
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
            expected = f"expected labels below {len(class_names)}, the number of class names in {META}"
            raise UserError(f"{name}: {member}: {expected}, found label {labels.max()}")
    train_images = np.concatenate([batches[member][0] for member in TRAIN])
    train_labels = np.concatenate([batches[member][1] for member in TRAIN])
    return Images(class_names, train_images, train_labels, *batches[TEST])


class _Bounded:
    """A stream with a limit on its unpacked size."""

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
    """Yield name and content of the required members, each once, in the order of the archive."""
    missing = set(MEMBERS)
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            stream = _Bounded(unpacked)
            with tarfile.open(fileobj=stream, mode="r|", bufsize=2**20) as tar:  # type: ignore[call-overload]
                for member in tar:
                    if member.name in MEMBERS:
                        yield member.name, _content(tar, member, member.name in missing)
                        missing.remove(member.name)
            while stream.read(2**20):  # up to the checksum at the end
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise UserError(f"{name} is not a complete .tar.gz archive ({error}): download it again") from None
    if missing:
        found = f"{', '.join(sorted(missing))} missing"
        raise UserError(f"{name} does not have the layout of cifar-10-python.tar.gz: {found}")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, is_first: bool) -> bytes:
    file = tar.extractfile(member) if member.isreg() and member.size <= MEMBER_LIMIT and is_first else None
    if file is None:
        raise tarfile.ReadError(
            f"{member.name} is not a single regular file of at most {MEMBER_LIMIT:,} bytes"
        )
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
    """Check a batch and convert its images from (3, 32, 32), as stored, to (32, 32, 3)."""
    data = content.get("data")
    if not isinstance(data, np.ndarray):
        raise ValueError("expected an array under 'data'")
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072 or len(data) == 0:
        raise ValueError(f"'data': expected uint8 (N, 3072), found {data.dtype} {data.shape}")
    labels = _labels(content.get("labels"))
    if len(labels) != len(data):
        raise ValueError(f"expected one label per image, found {len(labels)} labels for {len(data)} images")
    return np.ascontiguousarray(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def _labels(value: Any) -> np.ndarray:
    labels = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 2**31 for label in labels):
        raise ValueError("expected a list of non-negative integers under 'labels'")
    return np.array(labels, np.int64)
