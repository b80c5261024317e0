"""The folder of data.folder where another source is chosen: DVC wants it to exist, nothing reads it."""

from pathlib import Path

from cifar10 import params
from cifar10.errors import UserError
from cifar10.names import shown


def make(data: params.Data) -> None:
    """Make an empty folder if data.folder does not exist and data.source does not use it.

    `preprocess` depends on data.folder, whatever the source: dvc.yaml cannot depend on data.source.

    Raises:
        UserError: the folder cannot be made.
    """
    folder = Path(data.folder)
    if data.source == "folder" or folder.exists():
        return
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"data.folder: {shown(data.folder)} does not exist; DVC needs it with every data.source, and "
            f"cannot be made ({error.strerror}): set it to data/pictures"
        ) from None
