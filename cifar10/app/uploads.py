"""Read the files of a multipart request into memory. No byte of them reaches the disk."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
import multipart
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cifar10.app import request_limits
from cifar10.names import shown, valid

FIELD = "files"
TYPE = "multipart/form-data"


@dataclass(frozen=True)
class Upload:
    """A file of a request: the name that the client gives it, and its content."""

    name: str
    content: bytes


async def receive(request: Request, deadline: float) -> list[Upload]:
    """Read all files of a request, in the order sent.

    Args:
        request: its body is not read yet.
        deadline: on the clock of `time.monotonic`, in seconds.

    Raises:
        HTTPException: 400 for a damaged body, 408 for one that does not end before the deadline, 413 for too
            many bytes or files, 415 for another type than multipart/form-data, 422 for another field than
            `files` or no file.
        ClientDisconnect: the client is gone.
    """
    kind, options = multipart.parse_options_header(request.headers.get("content-type", ""))
    if kind != TYPE:
        raise HTTPException(415, f"expected a body of type {TYPE}, found {shown(kind) or 'none'}")
    try:
        with anyio.fail_after(deadline - time.monotonic()):
            files = await _parse(request, options.get("boundary", ""))
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {request_limits.SECONDS:g} s") from None
    except multipart.MultipartError as error:
        raise HTTPException(400, f"the {TYPE} body is damaged: {error}") from None
    if not files:
        raise HTTPException(422, f"expected at least one file in the field {FIELD!r}, found none")
    return files


async def _parse(request: Request, boundary: str) -> list[Upload]:
    files: list[Upload] = []
    name, content = "", bytearray()
    with multipart.PushMultipartParser(boundary) as parser:
        async for chunk in _chunks(request):
            for event in parser.parse(chunk):
                if isinstance(event, multipart.MultipartSegment):
                    name, content = _file_name(event, len(files)), bytearray()
                elif event is None:
                    files.append(Upload(name, bytes(content)))
                else:
                    content += event
    return files


def _file_name(segment: multipart.MultipartSegment, files: int) -> str:
    """Check a part and give the name of its file; `files` parts came before it."""
    if files == request_limits.MAX_FILES:
        raise HTTPException(413, f"more than {request_limits.MAX_FILES} files in a request")
    if segment.name != FIELD:
        raise HTTPException(422, f"expected only the field {FIELD!r}, found {shown(segment.name)!r}")
    if segment.filename is None:
        raise HTTPException(422, f"expected files in the field {FIELD!r}, found text")
    return valid(segment.filename) or f"file {files + 1}"


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in pieces, never more than the limit; a declared length is checked before reading."""
    declared = request.headers.get("content-length", "")
    length = int(declared) if declared.isdecimal() else 0
    if length > request_limits.MAX_BODY:
        raise HTTPException(413, _too_large())
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > request_limits.MAX_BODY:
            raise HTTPException(413, _too_large())
        if chunk:
            yield chunk


def _too_large() -> str:
    return f"the body has more than {request_limits.MAX_BODY / 1e6:,.0f} MB"
