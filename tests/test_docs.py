"""The documentation is correct: its commands run, its examples are valid, its links have targets.

The blocks of a page run in order, in one clone per page, after `dvc repro` on the digits. Settings of DVC's
remotes are reset at the end of a section, since different servers exclude each other. A comment above a block
that no test can run says why, and where it runs instead.

    <!-- needs: a dask cluster; run by tests/cluster/test_cluster.py -->
"""

import os
import re
import shutil
import tomllib
from pathlib import Path
from textwrap import dedent
from urllib.parse import unquote

import pytest
import skimage
import sklearn
import yaml

from tests import documents
from tests.conftest import DATA, Clone, copy_or_link, lend_environment

PAGES = documents.pages()
BLOCKS = [block for page in PAGES for block in documents.blocks(page)]
EXAMPLES = {  # files that pages mention
    "astronaut.png": Path(skimage.__file__).parent / "data/astronaut.png",
    "photo.jpg": Path(sklearn.__file__).parent / "datasets/images/flower.jpg",
    "holidays/temple.jpg": Path(sklearn.__file__).parent / "datasets/images/china.jpg",
}
EXTRAS = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
BUILD = """
import sys
from pathlib import Path
import numpy as np
from cifar10 import params
from cifar10.training import prepared
classes = "airplane automobile bird cat deer dog frog horse ship truck".split()
for example in sys.argv[1:]:
    path, *names = example.split(",")
    print(path)
    chosen = params.load(Path(path))
    for name in names:
        prepared.prepare(name, chosen, np.arange(1000) % 10, classes)
"""


@pytest.fixture(scope="module")
def begun(clone_finished, module_path):
    """A reader's clone: environment, upstream beside it, another branch, pictures. Each page has a copy."""
    clone = clone_finished(module_path / "clone")
    lend_environment(clone.root)
    for name, picture in EXAMPLES.items():
        (clone.root / name).parent.mkdir(exist_ok=True)
        shutil.copy(picture, clone.root / name)
    (clone.root / ".git/info/exclude").write_text("".join(f"/{name}\n" for name in EXAMPLES))
    clone.run("git", "checkout", "--quiet", "-B", "main")
    clone.run("git", "branch", "my-branch")
    clone.run("git", "init", "--quiet", "--bare", "../upstream")
    clone.run("git", "remote", "set-url", "origin", "../upstream")
    clone.run("git", "push", "--quiet", "origin", "main")
    return clone


@pytest.fixture
def reader(begun, tmp_path):
    """A copy of the reader's clone and its upstream, that the blocks of a page may change."""
    shutil.copytree(begun.root, tmp_path / "clone", symlinks=True, copy_function=copy_or_link)
    shutil.copytree(begun.root.parent / "upstream", tmp_path / "upstream", copy_function=os.link)
    clone = Clone(tmp_path / "clone")
    (tmp_path / "home").mkdir()
    clone.environment = {"HOME": str(tmp_path / "home"), "PYTHONPATH": str(clone.root)}
    clone.examples = []  # parameter files with an example each, and the models in it
    return clone


def run_bash(reader, text):
    """Run commands; pip commands are only checked, because all tests share the environment."""
    for extras in re.findall(r"pip install -e '\.\[([\w,]+)\]'", text):
        assert set(extras.split(",")) <= set(EXTRAS)
    changes = re.search(r"\b(apt-get|apt|npm) +install|\bmake +(install|lock|bench|clean)\b", text)
    assert not changes, "changes more than the clone: mark it with <!-- needs: ... -->"
    return reader.run("bash", "-e", "-o", "pipefail", "-c", f"pip() {{ :; }}\n{text}", **reader.environment)


def run_console(reader, text):
    """Run the commands and compare the first line of output; the others depend on the models."""
    for command, shown in documents.commands(text):
        printed = [line.split() for line in run_bash(reader, command).splitlines()]
        assert not shown or shown[0].split() in printed


def run_python(reader, text, *arguments):
    reader.run("python", "-c", text, *arguments, **reader.environment)


def run_yaml(reader, text):
    """Insert an example into a copy of params.yaml, for `check_examples`.

    One that begins with the comment `# params.yaml` goes into params.yaml itself, for the next blocks of the
    page. They train one model.
    """
    path = reader.root / "params.yaml"
    content, new = yaml.safe_load(path.read_text()), yaml.safe_load(dedent(text))
    new = new if set(new) <= set(content) else {"models": new}
    for section, entries in new.items():
        content[section] |= entries
    example = reader.root.parent / f"example_{len(reader.examples)}.yaml"
    example.write_text(yaml.safe_dump(content, sort_keys=False))
    names = ["model_2"] if "train" in new else [*new.get("models", {})]
    if text.startswith("# params.yaml\n"):
        shutil.copy(example, path)
        reader.keep_models("model_0")
        reader.keep_records(*DATA)
    reader.examples.append(",".join([str(example), *names]))


def check_examples(reader):
    """Load the examples in YAML of a page and build their networks, in one process; it names each."""
    run_python(reader, BUILD, *reader.examples)


RUN = {"bash": run_bash, "console": run_console, "python": run_python, "yaml": run_yaml}


@pytest.mark.parametrize("page", sorted({block.page for block in BLOCKS if block.runs}), ids=str)
def test_the_blocks_of_a_page_run(reader, page):
    config = (reader.root / ".dvc/config").read_text()
    local = (reader.root / ".dvc/config.local").read_text()
    section = ""
    for block in (block for block in BLOCKS if block.page == page and block.runs):
        if block.section != section:
            section = block.section
            (reader.root / ".dvc/config").write_text(config)
            (reader.root / ".dvc/config.local").write_text(local)
        try:
            RUN[block.kind](reader, block.text)
        except AssertionError as error:
            raise AssertionError(f"{block.where}: {error}") from None
    if reader.examples:
        check_examples(reader)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_a_block_is_run_or_says_why_not_and_where_it_is(block):
    assert block.kind in documents.KINDS.values()
    if block.mark:
        mark = documents.MARK.match(block.mark)
        assert mark, f"expected <!-- needs: WHAT --> or <!-- needs: WHAT; run by FILE -->, got {block.mark}"
        assert mark["run_by"] is None or Path(mark["run_by"]).is_file()


def test_a_card_says_how_to_load_its_model(finished):
    (block,) = documents.blocks(Path("reports/cards/model_0.md"), finished.root)
    assert block.kind == "python"
    check = "assert probabilities.shape == (1, 10) and abs(probabilities.sum() - 1) < 1e-5"
    finished.run("python", "-c", f"{block.text}\n{check}")


def test_links_lead_somewhere(finished):
    """Check the links in the finished clone, which includes the model cards."""
    cards = [path.relative_to(finished.root) for path in finished.root.glob("reports/cards/*.md")]
    assert len(cards) == 3
    broken = []
    for page in [*PAGES, *cards, Path("reports/results.md")]:
        for link in documents.links(finished.root / page):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = unquote(link).partition("#")
            target = (finished.root / page.parent / name) if name else finished.root / page
            if not target.exists() or (anchor and anchor not in documents.anchors(target)):
                broken.append(f"{page}: {link}")
    assert broken == []


def test_marks_and_blocks_are_found(tmp_path):
    text = (
        "<!-- needs: a cluster; run by tests/x.py, in part -->\n```bash\na\n```\n\n"
        "- in a list:\n\n  ```\n  $ b\n  c\n  ```\n"
    )
    (tmp_path / "page.md").write_text(f"# A `b`, c\n\n{text}\n```\nplain\n```\n\n[d](e.md#f) ![g](h.png)\n")
    first, second, third = documents.blocks(tmp_path / "page.md")
    assert (first.line, first.kind, first.section, first.runs) == (4, "bash", "A `b`, c", False)
    assert documents.MARK.match(first.mark)["run_by"] == "tests/x.py"
    assert (second.kind, second.runs, documents.commands(second.text)) == ("console", True, [("b", ["c"])])
    assert (third.kind, third.runs) == ("text", False)
    assert documents.links(tmp_path / "page.md") == ["e.md#f", "h.png"]
    assert documents.anchors(tmp_path / "page.md") == {"a-b-c"}
