"""Pictures that `data.exclude` leaves out."""

from collections.abc import Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from cifar10.data.class_names import composed
from cifar10.errors import UserError


class Exclusion:
    """Decide which pictures are left out, and remember which entries had an effect.

    Args:
        entries: paths, relative to the folder or with it, or patterns in the syntax of .gitignore.
        folder: the folder of `train` and `test`.
    """

    def __init__(self, entries: Sequence[str], folder: Path) -> None:
        start = f"{folder.as_posix()}/"
        self._literal = {composed(entry).removeprefix("./").removeprefix(start): entry for entry in entries}
        try:
            self._spec = GitIgnoreSpec.from_lines(map(composed, entries))
            self._each = {entry: GitIgnoreSpec.from_lines([composed(entry).lstrip("!")]) for entry in entries}
        except ValueError as error:
            raise UserError(f"data.exclude: {error}: expected patterns as in .gitignore") from None
        self._used: set[str] = set()

    def covers(self, path: Path) -> bool:
        """Tell whether a picture is left out.

        Args:
            path: relative to the folder.
        """
        name = composed(path.as_posix())
        if name in self._literal:  # a name with brackets or stars is not taken as a pattern only
            self._used.add(self._literal[name])
            return True
        self._used |= {entry for entry, spec in self._each.items() if spec.match_file(name)}
        return self._spec.match_file(name)

    def check_used(self, folder: Path) -> None:
        """Check that every entry had an effect.

        Raises:
            UserError: an entry matches no picture, for example because of a spelling mistake.
        """
        if unused := [entry for entry in self._each if entry not in self._used]:
            raise UserError(
                f"data.exclude: no picture in {folder} matches {', '.join(map(repr, unused))}; expected "
                "paths such as train/cat/1.png, or patterns as in .gitignore: correct or delete these entries"
            )
