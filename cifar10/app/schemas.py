"""Schemas of the API's answers, for its OpenAPI document. `predictions.content` defines the fields."""

from pydantic import BaseModel, Field


class Answer(BaseModel):
    """Answer of one model for one picture."""

    verdict: str | None = Field(description="most probable class; null: none of these")
    id_score: float = Field(description="ID score; higher means more like the training images")
    p_value: float = Field(description="share of validation images that look at least as unusual, above 0")
    probabilities: dict[str, float] = Field(description="by class; the sum is 1")


class Image(BaseModel):
    """One picture and the answer of every model."""

    image: str = Field(description="name of the file, as sent")
    answers: dict[str, Answer] = Field(description="by model")
    warnings: list[str] = Field(description="what is missing in the picture or a guess, such as brightness")
    preview: str | None = Field(
        default=None,
        description="only with `preview=true`: the 32x32 pixels that the models see, as a PNG data URL",
    )


class Unreadable(BaseModel):
    """A file that is not a readable picture."""

    image: str = Field(description="name of the file, as sent")
    reason: str


class Score(BaseModel):
    """Trainings of a model, and its ID score with the threshold."""

    seeds: list[int] = Field(description="seeds of the trainings whose mean probabilities are the answer")
    score: str = Field(description="name of the ID score")
    parts: list[str] = Field(description="names of the scores that it combines")
    threshold: float = Field(description="a lower ID score gives the verdict null")
    auroc: float | None = Field(description="mean AUROC on OOD datasets; null: none was measured")
    reliable: bool | None = Field(description="whether that is at least 0.8")
    temperature: float = Field(description="probabilities were scaled by it; 1 if it is unknown")


class Classification(BaseModel):
    """The content of `cifar10-classify --json`."""

    classes: list[str]
    models: dict[str, Score] = Field(description="by model")
    images: list[Image] = Field(description="the readable pictures, in the order sent")
    unreadable: list[Unreadable] = Field(description="the other files, in the order sent")


class Saliency(BaseModel):
    """Where a picture raises the logit of a class (Grad-CAM, the mean over the trainings of a model)."""

    explains: str = Field(description="the model's most probable class, also if the verdict is null")
    map: str | None = Field(
        description="32x32 grey levels as a PNG data URL, 255 at the maximum; null: the model has no maps"
    )
    overlay: str | None = Field(description="the picture in grey with the map in orange, a PNG data URL")
    empty: bool | None = Field(description="no place of the picture raises the logit: the map is 0")


class ExplainedImage(BaseModel):
    """One picture and its saliency map by model."""

    image: str = Field(description="name of the file, as sent")
    maps: dict[str, Saliency] = Field(description="by model")


class Explanation(BaseModel):
    """Saliency maps of pictures."""

    images: list[ExplainedImage] = Field(description="the readable pictures, in the order sent")
    unreadable: list[Unreadable] = Field(description="the other files, in the order sent")


class Mistake(BaseModel):
    """A test image that a model gets wrong."""

    image: int = Field(description="number of the test image")
    predicted: str = Field(description="most probable class")
    probability: float = Field(description="of that class, the mean over the trainings, not calibrated")
    picture: str = Field(description="address of the picture, below that of the server")


class Mistakes(BaseModel):
    """Test images of a class that a model gets wrong, the most confident mistake first."""

    model: str
    actual: str = Field(description="class of the images")
    images: int = Field(description="number of test images of this class")
    counts: dict[str, int] = Field(description="number of mistakes of the model, by actual class")
    page: int
    pages: int = Field(description="at least 1, also without mistakes")
    mistakes: list[Mistake] = Field(description="of this page, at most 24")


class Similar(BaseModel):
    """A training image."""

    image: int = Field(description="number of the training image")
    actual: str = Field(description="its class")
    similarity: float = Field(description="cosine of the features, -1 to 1")
    picture: str = Field(description="address of the picture, below that of the server")


class Inspection(BaseModel):
    """A test image, and the training images that a model finds most similar to it."""

    model: str
    image: int = Field(description="number of the test image")
    actual: str = Field(description="its class")
    predicted: str = Field(description="most probable class")
    probabilities: dict[str, float] = Field(description="by class; means over the trainings, not calibrated")
    picture: str = Field(description="address of the picture, below that of the server")
    saliency: Saliency = Field(description="of the most probable class")
    similar: list[Similar] = Field(
        description="the most similar of at most 1,000 training images, for the first training of the model"
    )


class Models(BaseModel):
    """The models and their provenance."""

    classes: list[str]
    models: dict[str, Score] = Field(description="by model")
    data: str = Field(description="the training data, in words")
    revision: str = Field(description="the git revision, in words")
    changed: list[str] | None = Field(
        description="files and parameters changed since the training; null: unknown"
    )


class Health(BaseModel):
    """The server runs."""

    status: str


class Problem(BaseModel):
    """The error, in one sentence."""

    detail: str


class UnreadableProblem(Problem):
    """The same, with the reason for each file if no file is a picture."""

    unreadable: list[Unreadable] = []
