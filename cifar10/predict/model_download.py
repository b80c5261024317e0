"""Download published models into a cache of this user, and check them."""

import hashlib
from collections.abc import Set
from pathlib import Path

import pooch
import requests

from cifar10 import files, paths, progress
from cifar10.errors import UserError
from cifar10.predict import model_folder

CACHE = "cifar10-compared"  # in the user's folder for caches; XDG_CACHE_HOME moves it on Linux
TIMEOUT = 30  # seconds without data
LARGEST = 1_000_000  # bytes of SHA256SUMS
FETCHED = (".h5", ".npz", ".yaml", ".json")


def fetch(url: str, models: Set[str]) -> Path:
    """Download what has changed since the last time; without a network, use what was downloaded then.

    Args:
        url: of a folder that `make publish` wrote.
        models: names; all models if empty.

    Returns:
        The folder in the cache.

    Raises:
        UserError: the server does not answer or has no such folder, and nothing is in the cache; or a file
            is missing there or damaged.
    """
    url = url.rstrip("/") + "/"
    folder = Path(pooch.os_cache(CACHE)) / hashlib.sha256(url.encode()).hexdigest()[:16]
    try:
        listed = _sums(url)
    except requests.RequestException as error:
        if not (folder / model_folder.SUMS).exists() or isinstance(error, requests.HTTPError):
            raise UserError(f"{url}{model_folder.SUMS}: {_reason(error)}") from None
        progress.log(f"warning: {url}: {_reason(error)}; the models of the last download answer")
        return folder
    recorded = model_folder.parse_sums(listed, f"{url}{model_folder.SUMS}")
    if paths.PARAMS.name not in recorded:
        raise UserError(f"{url}{model_folder.SUMS}: expected {paths.PARAMS} in it, found none")
    wanted = {name: digest for name, digest in recorded.items() if _is_wanted(name, models)}
    _download(url, folder, wanted)
    with files.replacing(folder / model_folder.SUMS) as beside:
        beside.write_bytes(listed)
    return folder


def _is_wanted(name: str, models: Set[str]) -> bool:
    model, found, _ = name.partition(".seed_")
    return name.endswith(FETCHED) and (not found or not models or model in models)


def _sums(url: str) -> bytes:
    content = b""
    with requests.get(url + model_folder.SUMS, timeout=TIMEOUT, stream=True) as reply:
        reply.raise_for_status()
        for part in reply.iter_content(100_000):
            content += part
            if len(content) > LARGEST:
                raise UserError(f"{url}{model_folder.SUMS}: expected at most {LARGEST:,} bytes, found more")
    return content


def _download(url: str, folder: Path, wanted: dict[str, str]) -> None:
    pooch.get_logger().setLevel("ERROR")  # the bar says it
    store = pooch.create(folder, url, registry={name: f"sha256:{digest}" for name, digest in wanted.items()})
    with progress.bar(total=len(wanted), desc=f"downloading {url}", unit=" files") as bar:
        for name in wanted:
            try:
                store.fetch(name, downloader=pooch.HTTPDownloader(timeout=TIMEOUT))
            except ValueError:
                raise UserError(
                    f"{url}{name} does not have the SHA-256 of {model_folder.SUMS}: the transfer was "
                    "damaged, or new models are being published; try again"
                ) from None
            except requests.RequestException as error:
                raise UserError(f"{url}{name}: {_reason(error)}") from None
            bar.update()


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError):
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate of the server is not valid here"
    if isinstance(error, requests.ConnectionError):
        return "no connection to the server"
    return " ".join(str(error).split())
