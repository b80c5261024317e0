"""HTTP routes: the API, the page and its files."""

import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import fastapi
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from cifar10.app import (
    examples,
    middleware,
    mistake_routes,
    page,
    problems,
    provenance,
    request_limits,
    schemas,
    uploads,
)
from cifar10.app.service import PredictionService
from cifar10.evaluation import predictions

STATIC = Path(__file__).parent / "static"
BODY = {  # read by `uploads`, so that no file reaches the disk
    "requestBody": {
        "required": True,
        "content": {
            uploads.TYPE: {
                "schema": {
                    "type": "object",
                    "required": [uploads.FIELD],
                    "additionalProperties": False,
                    "properties": {
                        uploads.FIELD: {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": request_limits.MAX_FILES,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            }
        },
    }
}
DESCRIPTION = f"""Trained models classify pictures of any size and format.

Limits of a request: {request_limits.MAX_BODY / 1e6:,.0f} MB, {request_limits.MAX_FILES} files,
{request_limits.SECONDS:g} s.
Limits of a picture: {request_limits.MAX_BYTES / 1e6:,.0f} MB, {request_limits.MAX_PIXELS:,} pixels.
No picture is stored."""

api = APIRouter()
pages = APIRouter(include_in_schema=False)


def application(service: PredictionService, hosts: Sequence[str]) -> FastAPI:
    """Build the application.

    Args:
        service: the prediction service.
        hosts: allowed in the header Host, from `middleware.hosts`.
    """
    app = FastAPI(
        title="cifar10-compared",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=middleware.stack(hosts),
    )
    app.state.service = service
    problems.install(app)
    for router in (api, mistake_routes.api, pages, mistake_routes.pages):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/swagger", StaticFiles(directory=str(resources.files("fastapi_offline") / "static")))
    return app


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error responses for the OpenAPI document."""
    common = {
        400: "the body is damaged",
        403: "the request comes from a page of another origin",
        408: "the body did not arrive in time",
        413: "too many bytes or files",
        415: "the body is no multipart/form-data",
        422: "no file, another field, no readable picture, or an unknown model",
        503: "too busy, or a model is missing",
    }
    model = {422: schemas.UnreadableProblem}
    return {
        status: {"model": model.get(status, schemas.Problem), "description": common[status]}
        for status in statuses
    }


@api.post(
    "/api/classify",
    response_model=schemas.Classification,
    responses=_errors(400, 403, 408, 413, 415, 422, 503),
    openapi_extra=BODY,
)
async def classify(request: Request, preview: bool = False) -> Response:
    """Classify one or more pictures with every model.

    Each file has its entry in `images` or, with the reason, in `unreadable`. If no file is a picture, the
    status is 422.
    """
    service: PredictionService = request.app.state.service
    deadline = time.monotonic() + request_limits.SECONDS
    with service.admitted():
        files = await uploads.receive(request, deadline)
        return JSONResponse(await service.classify(files, deadline, preview))


@api.post(
    "/api/saliency",
    response_model=schemas.Explanation,
    responses=_errors(400, 403, 408, 413, 415, 422, 503),
    openapi_extra=BODY,
)
async def saliency(request: Request, model: str | None = None) -> Response:
    """Show which places of a picture raise the score of the class that a model, or every model, gives it.

    The limits and the errors are those of `/api/classify`. An unknown model has the status 422.
    """
    service: PredictionService = request.app.state.service
    deadline = time.monotonic() + request_limits.SECONDS
    with service.admitted():
        files = await uploads.receive(request, deadline)
        return JSONResponse(await service.explain(files, deadline, model))


@api.get("/api/models", response_model=schemas.Models, responses=_errors(503))
async def models(request: Request) -> Response:
    """Describe the models."""
    service: PredictionService = request.app.state.service
    classifier = await service.models()
    names = [*classifier.detectors]
    found = await run_in_threadpool(provenance.find, names, classifier.seeds, service.folder)
    scores = predictions.described(classifier.seeds, classifier.detectors, classifier.temperatures)
    about = {"data": found.data, "revision": found.revision, "changed": found.changed}
    return JSONResponse({"classes": classifier.classes, "models": scores, **about})


@api.get("/healthz")
async def health() -> schemas.Health:
    """Confirm that the server runs, also while it classifies or has no models."""
    return schemas.Health(status="ok")


@pages.get("/", response_class=HTMLResponse)
def index(request: Request) -> str:
    """Return the page."""
    service = request.app.state.service
    return page.index(examples.find(service.folder.here), service.size, mistake_routes.available(service))


@pages.get("/docs", response_class=HTMLResponse)
def docs() -> str:
    """Return the page that shows the OpenAPI document."""
    return page.docs()


@pages.get("/examples/{index}")
def example(request: Request, index: int) -> Response:
    """Return the file of an example."""
    found = examples.find(request.app.state.service.folder.here)
    if not 0 <= index < len(found):
        raise HTTPException(404)
    return fastapi.Response(found[index].content, media_type="image/png")
