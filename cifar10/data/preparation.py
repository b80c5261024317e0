"""What must be checked before DVC runs, because DVC sees neither environment variables nor every file."""

from cifar10 import params, progress
from cifar10.data import base_weights, folder, own_archive
from cifar10.errors import UserError


def needs_download(chosen: params.Params) -> bool:
    """Check the data source; tell whether the stage `download` must run although DVC calls it up to date.

    It does not depend on the models, or each edit of a model would run it.

    Raises:
        UserError: data.folder has another layout or content that DVC cannot track, or CIFAR10_ARCHIVE names
            no file.
    """
    data = chosen.data
    if data.source == "folder":
        folder.of(data)
    return _is_other_archive(data) or base_weights.missing(chosen)


def _is_other_archive(data: params.Data) -> bool:
    own = own_archive.named()
    if not own:
        return False
    if data.source != "cifar10":
        progress.log(f"note: {own_archive.VARIABLE} is not used: data.source is {data.source}")
        return False
    try:
        return not own_archive.is_in_place(own)
    except UserError as error:
        raise UserError(f"{own_archive.VARIABLE}: {error}") from None
