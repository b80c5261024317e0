"""An archive that the user has already, taken instead of the one of the mirrors."""

import shutil
from pathlib import Path

from cifar10 import archive, mirrors
from cifar10.errors import UserError

VARIABLE = "CIFAR10_ARCHIVE"  # in the environment: a path or a URL


def bring(own: str, new: Path, limits: mirrors.Limits) -> None:
    """Download or copy an archive to `new` and read it to its end, so that a damaged one is not taken.

    Args:
        own: its path or URL.
        new: where it goes; nothing stays there on an error.
        limits: asked of the host of a URL.

    Raises:
        UserError: there is none, or it is damaged or of another layout.
    """
    try:
        if own.startswith(("http://", "https://")):
            mirrors.fetch([own], None, new, limits)
        elif not Path(own).expanduser().is_file():
            raise UserError(f"{own} is no file; expected the path or URL of an archive")
        else:
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(own).expanduser(), new)
        with new.open("rb") as file:
            archive.read(file, own)
    except UserError as error:
        new.unlink(missing_ok=True)
        raise UserError(f"{VARIABLE}: {error}") from None
