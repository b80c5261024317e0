"""The two revisions of a comparison: a commit by its name, and what is checked out."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cifar10 import git, staleness
from cifar10.compare.content import Content
from cifar10.errors import UserError

COMPARED = ["params.yaml", "dvc.yaml", staleness.LOCK, "cifar10", "stages", "reports"]


@dataclass
class Revision:
    """A commit, or the workspace.

    Attributes:
        label: name on the page: a branch, a tag, a short hash.
        commit: full hash; for the workspace, the hash of the commit that is checked out.
        uncommitted: whether this is the workspace.
        missing: sentences about missing or damaged data, added while the revision is read.
    """

    label: str
    commit: str
    uncommitted: bool = False
    missing: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Content]:
        """Open the revision for reading.

        Raises:
            UserError: the revision is not a DVC repository.
        """
        with contextlib.ExitStack() as stack:
            with self.labelled_errors():
                repository = staleness.repository(None if self.uncommitted else self.commit)
                repo = stack.enter_context(repository)
            yield Content(self, repo)

    @contextlib.contextmanager
    def labelled_errors(self) -> Iterator[None]:
        """Convert DVC's errors to UserErrors, and put the label in front of every UserError."""
        try:
            with staleness.translated():
                yield
        except UserError as error:
            raise UserError(f"{self.label}: {error}") from None


def named(name: str) -> Revision:
    """Find a commit by branch (here or on origin), tag or hash.

    Raises:
        UserError: there is no such commit, or the working directory is not in a git repository.
    """
    git.check()
    for candidate in (name, f"origin/{name}"):
        commit = git.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        if name and re.fullmatch("[0-9a-f]{40,}", commit):
            return Revision(candidate, commit)
    kinds = ["refs/heads", "refs/remotes", "refs/tags"]
    known = git.line("for-each-ref", "--format=%(refname:short)", *kinds).splitlines()
    raise UserError(
        f"BASE: got {name!r}, expected a commit or one of {', '.join(known)}; `git fetch` brings new ones"
    )


def here() -> Revision:
    """Return the commit that is checked out, or the workspace if it has uncommitted changes."""
    git.check()
    commit = git.head()
    label = git.line("symbolic-ref", "--short", "--quiet", "HEAD") or commit[:10]
    if git.uncommitted(*COMPARED):
        return Revision(f"workspace of {label}", commit, uncommitted=True)
    return Revision(label, commit)


def lacking(base: Revision) -> int:
    """Count the commits of `base` that the current commit does not contain."""
    return int(git.line("rev-list", "--count", f"HEAD..{base.commit}") or 0)
