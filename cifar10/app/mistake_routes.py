"""HTTP routes of the mistakes on test images: the API, the page and its pictures."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from cifar10.app import page, png, schemas
from cifar10.app.recorded_mistakes import PER_PAGE
from cifar10.app.service import PredictionService
from cifar10.errors import UserError

ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": schemas.Problem, "description": "no such page or image"},
    422: {"model": schemas.Problem, "description": "an unknown model or class, or no number"},
    503: {"model": schemas.Problem, "description": "predictions, images or models are missing, or too busy"},
}

api = APIRouter()
pages = APIRouter(include_in_schema=False)


def available(service: PredictionService) -> bool:
    """Tell whether the page has mistakes to show."""
    try:
        service.mistakes.names()
    except (UserError, OSError):
        return False
    return True


@api.get("/api/mistakes", response_model=schemas.Mistakes, responses=ERRORS)
def mistakes(
    request: Request,
    model: str,
    actual: Annotated[str, Query(alias="class", description="actual class of the images")],
    number: Annotated[int, Query(alias="page", ge=1, description=f"{PER_PAGE} images each")] = 1,
) -> Response:
    """List the test images of a class that a model gets wrong, the most confident mistake first."""
    service: PredictionService = request.app.state.service
    return JSONResponse(service.mistakes.page(model, actual, number))


@api.get("/api/mistakes/{image}", response_model=schemas.Inspection, responses=ERRORS)
async def inspect(request: Request, image: int, model: str) -> Response:
    """Show a test image as a model sees it: probabilities, saliency map, most similar training images."""
    service: PredictionService = request.app.state.service
    with service.admitted():
        return JSONResponse(await service.inspector.inspect(model, image))


@pages.get("/mistakes", response_class=HTMLResponse)
def index(request: Request) -> str:
    """Return the page."""
    service: PredictionService = request.app.state.service
    try:
        return page.mistakes(*service.mistakes.names(), problem=None)
    except UserError as error:
        return page.mistakes([], [], problem=str(error))


@pages.get("/images/{split}/{image}.png")
def picture(request: Request, split: Literal["train", "test"], image: int) -> Response:
    """Return an image of data/processed."""
    service: PredictionService = request.app.state.service
    return Response(png.encode(service.mistakes.picture(split, image)), media_type="image/png")
