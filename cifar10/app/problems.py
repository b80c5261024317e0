"""Turn every error into a status and one sentence of JSON."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from cifar10.app.exceptions import BusyError, UnreadableError
from cifar10.errors import UserError

RETRY = {"retry-after": "2"}  # seconds


def install(app: FastAPI) -> None:
    """Have an application answer errors with a status and the fields of `schemas.Problem`."""
    handlers: dict[type[Exception], Callable[[Request, Any], Response]] = {
        HTTPException: _http,
        RequestValidationError: lambda _, error: problem(422, _invalid(error)),
        UnreadableError: lambda _, error: problem(422, str(error), unreadable=error.files),
        BusyError: lambda _, error: problem(503, str(error), RETRY),
        UserError: lambda _, error: problem(503, str(error)),
        ClientDisconnect: lambda *_: Response(status_code=400),  # nobody receives it
        Exception: lambda *_: problem(500, "the server has an error; its log has the details"),
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """Write an error response."""
    return JSONResponse({"detail": detail, **more}, status, headers)


def _http(request: Request, error: HTTPException) -> Response:
    """Answer an error of a route or of the router; OPTIONS gets the methods that a path has."""
    headers = dict(error.headers or {})
    if error.status_code == 404 and error.detail == HTTPException(404).detail:  # of the router
        return problem(404, "this address does not exist; docs describes the API")
    if error.status_code == 405:
        methods = {part.strip() for part in headers.get("Allow", "").split(",")} - {""} | {"OPTIONS"}
        allow = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": allow})
        return problem(405, f"{request.method} is not possible here; possible: {allow}", {"allow": allow})
    return problem(error.status_code, str(error.detail), headers)


def _invalid(error: RequestValidationError) -> str:
    first = error.errors()[0]
    return f"{' '.join(map(str, first['loc']))}: {first['msg']}"
