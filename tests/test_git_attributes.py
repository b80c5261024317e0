"""A clone has the same bytes whatever git's settings for line ends are."""

import hashlib
import subprocess

import pytest


@pytest.mark.parametrize(
    "options", [("core.autocrlf=true",), ("core.autocrlf=false", "core.eol=crlf")], ids=str
)
def test_a_clone_with_the_line_ends_of_windows_is_clean_and_has_unix_line_ends(tmp_path, options):
    settings = [part for option in options for part in ("-c", option)]
    subprocess.run(["git", "clone", "--quiet", *settings, ".", tmp_path / "clone"], check=True)

    def git(*arguments):
        return subprocess.run(
            ["git", *settings, *arguments], cwd=tmp_path / "clone", check=True, capture_output=True
        ).stdout

    assert git("status", "--porcelain") == b""
    entries = [line.split(b"\t") for line in git("ls-files", "-s", "-z").split(b"\0")[:-1]]
    for about, name in entries:
        content = (tmp_path / "clone" / name.decode()).read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        assert blob.encode() == about.split()[1], name  # what is checked out is what is committed
        assert name.endswith(b".png") or b"\r\n" not in content, name
    (tmp_path / "clone/picture.png").write_bytes(b"text\r\nlines\r\n")
    git("add", "picture.png")
    assert git("show", ":picture.png") == b"text\r\nlines\r\n"
