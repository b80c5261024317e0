"""The page: where pictures come in, and where the answers stand."""

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from cifar10 import dataset, nonclass, paths
from cifar10.app import asking, origin, view
from cifar10.app.asking import Asking
from cifar10.errors import UserError

TITLE = "What do the models see?"
PERSON = "a person"


def build(models: Asking) -> gr.Blocks:
    """Lay out the page; `models` are asked whenever pictures come in."""
    offered = examples()

    def answer(pictures: dict[str, np.ndarray], refused: list[str]) -> str:
        if not models.ready():
            return view.results({}, [], {}, [models.error, *refused])
        found = models.ask(np.array([*pictures.values()])) if pictures else {}
        return view.results(pictures, models.classes, found, refused)

    def files_came(files: list[str] | None) -> tuple[str, None]:
        return answer(*asking.read([Path(str(name)) for name in files or []])), None

    def picture_came(file: str | None) -> tuple[Any, None]:
        return (answer(*asking.read([Path(file)])) if file else gr.skip()), None

    def example_chosen(event: gr.SelectData) -> str:
        name = [*offered][event.index]
        return answer({name: offered[name]}, [])

    def header() -> str:
        models.ready()
        return view.head(origin.describe(), models.error)

    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(60, 60)) as page:
        head = gr.HTML()
        with gr.Tab("Files"):
            files = gr.File(
                label=f"Drop pictures here, {asking.MAX_FILES} at most", file_count="multiple", height=150
            )
        with gr.Tab("Camera or clipboard"):
            picture = gr.Image(
                label="Take or paste a picture",
                sources=["webcam", "clipboard"],
                type="filepath",
                image_mode=None,
                height=260,
            )
        with gr.Tab("Examples"):
            gallery = gr.Gallery(
                [(image, name) for name, image in offered.items()],
                label="Test images of each class, and a person",
                columns=6,
                object_fit="contain",
                allow_preview=False,
                interactive=False,
                buttons=[],
                height="auto",
                elem_id="examples",
            )
        results = gr.HTML(elem_id="results")
        private: Any = {"api_visibility": "private", "show_progress": "minimal"}
        page.load(header, None, head, **private)
        files.upload(files_came, files, [results, files], **private)
        picture.input(picture_came, picture, [results, picture], **private)
        gallery.select(example_chosen, None, results, **private)
    return page


def launch(page: gr.Blocks, host: str, port: int) -> None:
    """Serve the page from a thread; all that it needs comes from this machine.

    Raises:
        OSError: the address or the port cannot be had.
    """
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        max_file_size=asking.MAX_BYTES,
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        css=view.CSS.read_text(encoding="utf-8"),
    )


def examples() -> dict[str, np.ndarray]:
    """Offer the first test image of each class, if the data are here, and a portrait: uint8 (32, 32, 3)."""
    offered: dict[str, np.ndarray] = {}
    if paths.labels("test").exists():
        try:
            test, names = dataset.load("test"), dataset.class_names()
        except UserError:
            return {PERSON: nonclass.person()}
        for label in np.unique(test.labels):
            offered[names[label]] = np.array(test.images[np.argmax(test.labels == label)])
    return {**offered, PERSON: nonclass.person()}
