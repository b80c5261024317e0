"""What DVC does not see is refused before it makes results stale."""

import os
import sys
from pathlib import Path

import pytest

from cifar10.data import tracking
from cifar10.errors import UserError

IGNORED = "node_modules\n/demo\n*.tmp\nbuild/\n!keep.tmp\n"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("data/pictures/train/cat/1.png")
    return Path("data/pictures")


def write(name):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(b"x")


def faults(folder):
    """Return the lines of the error; none if there is no error."""
    try:
        tracking.check(folder, Path.cwd())
    except UserError as error:
        first, *lines = str(error).splitlines()
        assert first == f"data.folder: {folder} has content that DVC cannot track:"
        return [line.strip() for line in lines]
    return []


def test_links_to_files_and_a_link_to_the_folder_itself_are_seen(root):
    write("elsewhere/2.png")
    (root / "train/cat/2.png").symlink_to(Path("elsewhere/2.png").resolve())
    Path("linked").symlink_to(root)
    assert faults(root) == faults(Path("linked")) == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("nowhere", "a link to nothing: delete it"),
        ("link", "a link to nothing: delete it"),  # to itself
        ("..", "a link to a folder: move or copy the folder here"),  # a loop
        (".", "a link to a folder: move or copy the folder here"),
    ],
)
@pytest.mark.parametrize("place", ["train/cat", "train", "."])
def test_other_links_are_named(root, place, target, expected):
    (root / place / "link").symlink_to(target)
    assert faults(root) == [f"{root / place / 'link'}: {expected}"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("place", ["pipe", "train/cat/.pipe", "test"])
def test_a_pipe_and_a_link_to_a_device_which_dvc_would_read_for_ever_are_named(root, place):
    os.mkfifo(root / place)
    (root / "train/cat/2.png").symlink_to("/dev/zero")
    reason = "neither a file nor a folder: delete it"
    assert sorted(faults(root)) == sorted(f"{root / name}: {reason}" for name in (place, "train/cat/2.png"))


@pytest.mark.parametrize("content", [b"caf\xe9\n", b"!\n", b"a\n\\\n"])
def test_a_dvcignore_that_cannot_be_read_is_one_line(root, content):
    (root / ".dvcignore").write_bytes(content)
    with pytest.raises(UserError, match=r"pictures/\.dvcignore: expected patterns as in \.gitignore: .*$"):
        tracking.check(root, Path.cwd())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf8_are_escaped_and_counted(root):
    for number in range(12):
        os.close(os.open(os.fsencode(root / "train/cat") + b"/caf\xe9%d.png" % number, os.O_CREAT))
    found = faults(root)
    assert found[0] == rf"{root}/train/cat/caf\xe90.png: the name is not UTF-8: rename it"
    assert len(found) == 11
    assert found[-1] == "and 2 more"


def test_what_a_dvcignore_excludes_is_named_with_its_pattern(root):
    Path(".dvcignore").write_text(IGNORED)
    for name in ("node_modules/1.png", "demo/1.png", "build/1.png", "cat/x.tmp", "cat/keep.tmp", "cat/build"):
        write(root / "train" / name)
    write(root / "test/cat/1.png")
    (root / "test/.dvcignore").write_text("*.png\n")
    here = Path.cwd() / ".dvcignore"
    ending = ": rename it or change the pattern"
    assert faults(root) == [
        f"{root}/test/cat/1.png: excluded by *.png in {Path.cwd()}/{root}/test/.dvcignore{ending}",
        f"{root}/train/build: excluded by build/ in {here}{ending}",
        f"{root}/train/cat/x.tmp: excluded by *.tmp in {here}{ending}",
        f"{root}/train/node_modules: excluded by node_modules in {here}{ending}",
    ]


def test_a_folder_that_is_excluded_as_a_whole_is_one_line(root):
    Path(".dvcignore").write_text("data\n")
    Path("data/.dvcignore").write_text("# nothing\n")
    assert len(faults(root)) == 1


def test_a_folder_outside_of_the_project_obeys_no_dvcignore(root, monkeypatch):
    Path(".dvcignore").write_text("*\n")
    Path("project").mkdir()
    monkeypatch.chdir("project")
    assert faults(Path("..") / root) == []


def test_dvc_sees_the_same(root):
    """The oracle is the code of DVC that lists a dependency."""
    from dvc.fs import localfs
    from dvc.ignore import DvcIgnorePatterns

    Path(".dvcignore").write_text(IGNORED)
    oracle = DvcIgnorePatterns.from_file(str(Path(".dvcignore").resolve()), localfs, ".dvcignore")
    names = [
        "node_modules",
        "demo",
        "build",
        "x.tmp",
        "keep.tmp",
        "a.tmp.png",
        "models",
        "data",
        ".venv",
        "Demo",
    ]
    for name in names:
        write(root / "train" / name / "1.png")
    excluded = {Path(line.split(":")[0]).name for line in faults(root)}
    assert excluded == {
        name for name in names if oracle.matches(str((root / "train").resolve()), name, is_dir=True)
    }


def test_the_patterns_of_this_project_hide_no_class():
    for name in (".dvcignore", ".gitignore"):
        lines = [line for line in Path(name).read_text().splitlines() if line and not line.startswith("#")]
        assert [
            line for line in lines if not line.removeprefix("!").startswith(("/", ".*"))
        ] == []  # hidden names are no classes
