import gzip
import io
import pickle
import re
import tarfile

import numpy as np
import pytest

from cifar10.data import archive
from cifar10.errors import UserError
from tests import archives

BATCH = "cifar-10-batches-py/data_batch_3"


def read(content):
    return archive.read(io.BytesIO(content), "some.tar.gz")


def check(images, count):
    assert images.class_names == archives.NAMES
    train = [archives.pictures(count, seed) for seed in range(5)]
    assert np.array_equal(images.train_images, np.concatenate([drawn for drawn, _ in train]))
    assert np.array_equal(images.train_labels, np.concatenate([labels for _, labels in train]))
    assert np.array_equal(images.test_images, archives.pictures(count, 5)[0])
    assert images.train_images.dtype == images.test_images.dtype == np.uint8
    assert images.train_labels.dtype == images.test_labels.dtype == np.int64
    assert images.train_images.flags.c_contiguous


@pytest.mark.parametrize("protocol", range(6))
def test_archives_of_python_3_are_read(protocol):
    check(read(archives.pack(archives.pickled(archives.contents(), protocol))), 20)


def test_an_archive_of_python_2_is_read_whatever_the_order_of_its_members():
    files = {
        f"cifar-10-batches-py/{name}": archives.python2_batch(*archives.pictures(300, seed))
        for seed, name in enumerate(archives.BATCHES)
    }
    files |= {archive.META: archives.python2_meta(archives.NAMES), "cifar-10-batches-py/readme.html": b"<p>"}
    folder = tarfile.TarInfo("cifar-10-batches-py/")
    folder.type = tarfile.DIRTYPE
    check(read(archives.pack({folder.name: folder} | dict(sorted(files.items(), reverse=True)))), 300)


def test_the_python_2_batch_of_these_tests_is_what_numpy_takes_for_its_own():
    images, labels = archives.pictures(300, 0)
    content = pickle.loads(archives.python2_batch(images, labels), encoding="bytes")
    assert np.array_equal(content[b"data"], archives.batch(images, labels)[b"data"])
    assert content[b"labels"] == labels.tolist()


def test_keys_and_names_may_be_text_and_labels_an_array():
    contents = archives.contents()
    for name, content in contents.items():
        contents[name] = {key.decode(): value for key, value in content.items()}
    contents["batches.meta"]["label_names"] = archives.NAMES
    contents["data_batch_2"]["labels"] = np.asarray(contents["data_batch_2"]["labels"], ">i8")
    contents["data_batch_2"]["data"] = np.asfortranarray(contents["data_batch_2"]["data"])
    check(read(archives.pack(archives.pickled(contents))), 20)


def test_one_image_per_batch_will_do():
    assert read(archives.small(1)).train_images.shape == (5, 32, 32, 3)


def data(shape=(20, 3072), dtype=np.uint8):
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({b"data": None}, "expected an array under 'data'"),
        ({b"data": data((20, 1024))}, r"'data': expected uint8 (N, 3072), found uint8 (20, 1024)"),
        ({b"data": data((20, 3, 1024))}, "found uint8 (20, 3, 1024)"),
        ({b"data": data(dtype=np.float32)}, "found float32 (20, 3072)"),
        ({b"data": data((0, 3072)), b"labels": []}, "found uint8 (0, 3072)"),
        ({b"data": data((19, 3072))}, "expected one label per image, found 20 labels for 19 images"),
        ({b"labels": [0] * 19}, "found 19 labels for 20 images"),
        ({b"labels": None}, "expected a list of non-negative integers under 'labels'"),
        ({b"labels": [0.0] * 20}, "expected a list of non-negative integers"),
        ({b"labels": [[0]] * 20}, "expected a list of non-negative integers"),
        ({b"labels": [-1] * 20}, "expected a list of non-negative integers"),
        ({b"labels": [2**70] * 20}, "expected a list of non-negative integers"),
        ({b"labels": [9] * 19 + [10]}, "expected labels below 10, the number of class names in"),
    ],
)
def test_a_fault_in_a_batch_is_named(change, message):
    contents = archives.contents()
    contents["data_batch_3"] |= change
    with pytest.raises(UserError, match=f"^some.tar.gz: {BATCH}: .*{re.escape(message)}"):
        read(archives.pack(archives.pickled(contents)))


@pytest.mark.parametrize("names", [None, [], ["one"], ["same", "same"], [1, 2], "ab", [b"\xff", b"b"]])
def test_class_names_are_checked(names):
    contents = archives.contents()
    contents["batches.meta"][b"label_names"] = names
    with pytest.raises(UserError, match=f"{archive.META}: "):
        read(archives.pack(archives.pickled(contents)))


@pytest.mark.parametrize(
    "payload", [b"", b"\x80\x02", b"no pickle", b"\x80\x02].", b"\x80\x02}]Ns.", b"\x80\x63."]
)
def test_a_damaged_pickle_is_named(payload):
    with pytest.raises(UserError, match=f"^some.tar.gz: {BATCH}: "):
        read(archives.pack(archives.pickled(archives.contents()) | {BATCH: payload}))


def test_a_pickle_that_wants_more_is_refused():
    payload = b"cos\nsystem\n(S'exit 1'\ntR."
    with pytest.raises(UserError, match=f"{BATCH}: it asks for os.system: refused"):
        read(archives.pack(archives.pickled(archives.contents()) | {BATCH: payload}))


def test_an_archive_cut_off_anywhere_is_refused():
    whole = archives.small(1)
    for length in [*range(0, len(whole), 997), len(whole) - 9, len(whole) - 8, len(whole) - 1]:
        with pytest.raises(UserError, match=r"^some.tar.gz (is not a complete|does not have the layout)"):
            read(whole[:length])


def test_what_follows_the_tar_is_read_to_the_checksum():
    tar = gzip.decompress(archives.small(1))
    whole = gzip.compress(tar + np.random.default_rng(0).bytes(3_000_000), compresslevel=0)
    check(read(whole), 1)
    with pytest.raises(UserError, match=r"is not a complete \.tar\.gz archive"):
        read(whole[:-1])


def test_a_changed_byte_is_noticed():
    whole = bytearray(archives.small(1))
    whole[len(whole) // 2] ^= 1
    with pytest.raises(UserError):
        read(bytes(whole))


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>Not found</html>", gzip.compress(b""), gzip.compress(b"no tar" * 999), b"PK\x03\x04" * 99],
    # not the bytes: gzip writes the time into them
    ids=["nothing", "HTML", "empty gzip", "gzip of text", "zip"],
)
def test_what_is_no_archive_is_refused(content):
    with pytest.raises(UserError, match=r"^some.tar.gz is not a complete .+ \(.+\): download it again$"):
        read(content)


def test_missing_members_are_named():
    members = archives.pickled(archives.contents())
    del members[BATCH], members[archive.META]
    with pytest.raises(UserError, match=f"layout of cifar-10-python.tar.gz: {archive.META}, {BATCH} missing"):
        read(archives.pack(members))


def test_members_that_point_elsewhere_are_never_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    members = archives.pickled(archives.contents(1))
    for name in (
        "../evil",
        f"{tmp_path}/evil",
        "cifar-10-batches-py/../../evil",
        "cifar-10-batches-py/../test_batch",
    ):
        members[name] = b"evil"
    link = tarfile.TarInfo("cifar-10-batches-py/data_batch_6")
    link.type, link.linkname = tarfile.SYMTYPE, "../evil"
    check(read(archives.pack(members | {link.name: link})), 1)
    assert not list(tmp_path.parent.glob("**/*evil*"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_a_batch_must_be_a_regular_file(kind):
    special = tarfile.TarInfo(BATCH)
    special.type, special.linkname = kind, "cifar-10-batches-py/data_batch_1"
    with pytest.raises(UserError, match=f"{BATCH} is not a single regular file"):
        read(archives.pack(archives.pickled(archives.contents(1)) | {BATCH: special}))


def test_a_batch_must_not_come_twice():
    again = tarfile.TarInfo(BATCH)
    with pytest.raises(UserError, match=f"{BATCH} is not a single regular file"):
        read(archives.pack(archives.pickled(archives.contents(1)) | {"again": again}))


def test_a_batch_of_unreasonable_size_is_refused_by_its_header():
    header = tarfile.TarInfo(BATCH)
    header.size = 2**40
    with pytest.raises(UserError, match="of at most 536,870,912 bytes"):
        read(gzip.compress(header.tobuf()))


def test_an_archive_that_unpacks_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(archive, "LIMIT", 10_000_000)
    members = archives.pickled(archives.contents(1)) | {"cifar-10-batches-py/zeros": bytes(20_000_000)}
    with pytest.raises(UserError, match="unpacks to more than 10,000,000 bytes"):
        read(archives.pack(members))
