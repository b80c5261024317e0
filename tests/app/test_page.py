"""The page as a person uses it, in a real browser, on models of the digits."""

import io
import re

import numpy as np
from PIL import Image

from cifar10.app import request_limits
from tests import browser
from tests.webapp import BLACK, MODELS, READY, encoded, recorded, recorded_score, upload, wait_for_answers

SEES = """() => new Promise(done => {
    const video = document.querySelector("video");
    const look = () => video.videoWidth > 0 ? done() : setTimeout(look, 50);
    look();
})"""
HOSTILE = "<img src=x onerror=window.owned=1>${window.owned=1}{{owned}}\u202e.png"


def answers(card):
    """What an answer on the page says, by model, in the words of `recorded`."""
    found = {}
    for section in card.locator(".model").all():
        bars = section.locator(".bars").first.locator("li").all()
        said = [bar.inner_text().replace("\n", " ").replace("\u00a0", " ") for bar in bars]
        found[section.get_attribute("data-model")] = [section.locator(".verdict").inner_text(), *said]
    return found


def test_test_images_get_the_recorded_answers_and_nothing_leaves_the_machine(finished, app, visit):
    pictures = np.load(finished.root / "data/processed/test/images.npy")
    labels = np.load(finished.root / "data/processed/test/labels.npy")
    chosen = [int(np.argmax(labels == label)) for label in range(10)]
    files = {f"{index}.png": encoded(pictures[index]) for index in chosen}
    bomb = io.BytesIO()
    Image.new("1", (9_500, 9_500)).save(bomb, "PNG")
    others = {"note.txt": b"no picture", "empty.png": b"", "bomb.png": bomb.getvalue(), HOSTILE: b"none"}
    named = [*files.items()]
    upload(visit, dict([*named[:3], *others.items(), *named[3:]]))

    cards = visit.page.locator(".answer").all()
    assert [card.get_attribute("aria-label") for card in cards] == [*files]
    for index, card in zip(chosen, cards, strict=True):
        assert answers(card) == {name: recorded(finished, name, index) for name in MODELS}
    assert visit.page.locator(".results .problem").all_inner_texts() == [
        "note.txt: not a picture in a known format",
        "empty.png: the file is empty",
        f"bomb.png: more than {request_limits.MAX_PIXELS:,} pixels",
        HOSTILE.replace("\u202e", "\\u202e") + ": not a picture in a known format",
    ]
    upload(visit, {HOSTILE: encoded(pictures[0])})
    assert visit.page.locator(".answer").first.get_attribute("aria-label").startswith("<img src=x")
    assert visit.page.evaluate("window.owned") is None
    assert visit.page.locator(".results img:not([src^='data:image/png'])").count() == 0

    refused = [
        text for text in visit.complaints if "422" not in text
    ]  # Chromium logs each status of 400 or more
    assert (refused, len(visit.complaints)) == ([], len(others))
    assert visit.hosts == {f"127.0.0.1:{app.port}"}


def test_an_image_unlike_the_training_images_is_none_of_these_with_score_and_threshold(finished, visit):
    pictures = np.load(finished.root / "data/processed/test/images.npy")
    scores = [recorded_score(finished, "model_0", index) for index in range(len(pictures))]
    index = next(index for index, (score, threshold) in enumerate(scores) if score < threshold - 0.01)
    upload(visit, {"odd.png": encoded(pictures[index]), "usual.png": encoded(pictures[0])})
    odd = visit.page.locator("[aria-label='odd.png'] [data-model=model_0]")
    score, threshold = (f"{value:.2f}".replace("-", "\u2212") for value in scores[index])
    assert odd.locator(".verdict").inner_text() == "none of these"
    note = odd.locator(".note").inner_text()
    told = re.match(
        r"looks unlike the training images: as unusual as the most unusual ([\d.]+)\s% of real class images",
        note,
    )
    assert 0 < float(told[1]) <= 5
    assert not odd.locator(".score").is_visible()
    odd.locator("summary").click()
    assert f"score {score}, threshold {threshold}" in odd.locator(".score").inner_text()
    assert odd.locator("details li").count() == 7


def test_a_huge_file_is_named_and_the_others_are_answered(visit, tmp_path):
    (tmp_path / "huge.png").touch()
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(40_000_001)
    (tmp_path / "good.png").write_bytes(BLACK)
    visit.page.locator("input[type=file]").set_input_files([tmp_path / "huge.png", tmp_path / "good.png"])
    wait_for_answers(visit, 2)
    assert visit.page.locator(".results .problem").inner_text() == "huge.png: more than 40 MB"
    assert visit.page.locator(".answer").get_attribute("aria-label") == "good.png"


def test_pictures_are_dropped_pasted_photographed_and_chosen_from_examples(finished, visit):
    picture = np.load(finished.root / "data/processed/test/images.npy")[0]
    page = visit.page
    page.evaluate(
        """bytes => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
            document.querySelector(".drop").dispatchEvent(
                new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
        }""",
        [*encoded(picture)],
    )
    wait_for_answers(visit, 1)
    dropped = answers(page.locator(".answer").first)
    assert dropped == {name: recorded(finished, name, 0) for name in MODELS}

    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async bytes => navigator.clipboard.write(
            [new ClipboardItem({"image/png": new Blob([new Uint8Array(bytes)], {type: "image/png"})})])""",
        [*encoded(picture)],
    )
    page.keyboard.press("Control+V")
    wait_for_answers(visit, 2)
    assert answers(page.locator(".answer").first) == dropped

    page.get_by_role("button", name="Use the camera").click()
    page.evaluate(SEES)
    page.get_by_role("button", name="Take this picture").click()
    wait_for_answers(visit, 3)
    assert page.locator(".answer").first.get_attribute("aria-label") == "camera.png"
    assert page.evaluate("document.querySelector('video').srcObject") is None

    first = int(np.argmax(np.load(finished.root / "data/processed/test/labels.npy") == 0))
    page.get_by_role("button", name="zero").click()
    wait_for_answers(visit, 4)
    assert answers(page.locator(".answer").first) == {
        name: recorded(finished, name, first) for name in MODELS
    }
    page.get_by_role("button", name="astronaut").click()
    wait_for_answers(visit, 5)
    assert page.locator(".answer").first.get_attribute("aria-label") == "astronaut.png"
    assert visit.complaints == []


def test_the_api_is_readable_without_requests_to_other_hosts(app, chromium):
    visited = browser.Visit(chromium, f"{app.url}docs")
    visited.page.get_by_text("/api/classify").first.click()
    visited.page.get_by_role("button", name="Try it out").click()
    visited.page.get_by_text("Add string item").click()
    assert visited.page.locator("input[type=file]").first.is_visible()
    assert visited.hosts == {f"127.0.0.1:{app.port}"}
    assert visited.complaints == []
    visited.context.close()


def test_a_click_shows_what_a_model_looked_at(finished, visit):
    pictures = np.load(finished.root / "data/processed/test/images.npy")
    upload(visit, {"one.png": encoded(pictures[0])})
    section = visit.page.locator("[aria-label='one.png'] [data-model=model_1]")
    assert not [request for request in visit.requests if "saliency" in request]
    button = section.get_by_role("button", name="What the model looked at")
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    visit.page.keyboard.press("Enter")
    image = section.locator(".saliency img")
    image.wait_for(timeout=READY)
    top = section.locator(".bars").first.locator(".name").first.inner_text()
    expected = f"one.png in grey; orange where it raises the score of {top} for model_1"
    assert image.get_attribute("alt") == expected
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [128, 128]
    assert button.get_attribute("aria-expanded") == "true"
    asked = [request for request in visit.requests if "saliency" in request]
    assert [request.partition("?")[2] for request in asked] == ["model=model_1"]
    button.click()
    assert not image.is_visible()
    button.click()
    assert image.is_visible()
    assert len([request for request in visit.requests if "saliency" in request]) == 1
    assert visit.complaints == []
