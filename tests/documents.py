"""Parse Markdown pages for tests: code blocks with their marks, links, headings."""

import re
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

MARK = re.compile(r"^<!-- needs: (?P<needs>[^;>]+)(; run by (?P<run_by>[\w./-]+)[^>]*)? -->$")
KINDS = {
    "bash": "bash",
    "sh": "bash",
    "console": "console",
    "python": "python",
    "yaml": "yaml",
    "text": "text",
}


@dataclass(frozen=True)
class Block:
    """A fenced block of code; `kind` is one of KINDS or unknown."""

    page: Path
    line: int  # number of the line with the fence, from 1
    kind: str
    text: str
    section: str = ""  # the heading above
    mark: str = ""  # the comment directly above

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether a test runs the block unchanged."""
        return self.kind != "text" and not self.mark


def pages() -> list[Path]:
    """List the Markdown files of the repository, with untracked ones, without generated ones (reports/)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [Path(name) for name in sorted(names) if not name.startswith("reports/") and Path(name).exists()]


def blocks(page: Path, root: Path = Path()) -> list[Block]:
    """List the code blocks of a page below `root`."""
    found, section = [], ""
    for before, token in pairwise([Token("start", "", 0), *_parse(root / page)]):
        if before.type == "heading_open":
            section = token.content
        if token.type == "fence":
            comment = before.content.strip() if before.type == "html_block" else ""
            mark = comment if comment.startswith("<!-- needs") else ""
            found.append(Block(page, token.map[0] + 1, _kind(token), token.content, section, mark))
    return found


def _kind(token: Token) -> str:
    language = token.info.strip()
    if not language:
        return "console" if token.content.startswith("$ ") else "text"
    return KINDS.get(language, f"unknown: {language}")


def commands(text: str) -> list[tuple[str, list[str]]]:
    """List the commands of a console block's text, each with its documented output lines."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def links(page: Path) -> list[str]:
    """List the targets of links and pictures of a page."""
    inline = [part for token in _parse(page) for part in token.children or []]
    return [
        str(part.attrs.get("href") or part.attrs.get("src"))
        for part in inline
        if part.type in ("link_open", "image")
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings on GitHub."""
    found: list[str] = []
    for before, token in pairwise(_parse(page)):
        if before.type == "heading_open":
            text = "".join(part.content for part in token.children or [])
            slug = re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")
            found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


def _parse(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
