"""The page as a person uses it, in a real browser, on models of the digits."""

import io
import sys

import numpy as np
import pytest
from PIL import Image

from cifar10.data import images
from tests import browser, servers
from tests.webapp import BLACK, MODELS, READY, encoded, recorded, recorded_score

SEES = """() => new Promise(done => {
    const video = document.querySelector("video");
    const look = () => video.videoWidth > 0 ? done() : setTimeout(look, 50);
    look();
})"""
SUBMIT = """url => {
    const form = document.createElement("form");
    Object.assign(form, {method: "post", enctype: "multipart/form-data", action: url});
    document.body.append(form);
    form.submit();
}"""
HOSTILE = "<img src=x onerror=window.owned=1>${window.owned=1}{{owned}}\u202e.png"


@pytest.fixture
def visit(app, chromium):
    """The page, once it knows the models."""
    visited = browser.Visit(chromium, app.url)
    visited.page.get_by_text("3 models: model_0, model_1, model_2").wait_for(timeout=READY)
    yield visited
    visited.context.close()


def upload(visit, files):
    """Choose files, given as their content by name, in one go; wait for an answer or a complaint for each."""
    before = visit.page.locator(".results .answer, .results .problem").count()
    visit.page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "", "buffer": content} for name, content in files.items()]
    )
    wait_for_answers(visit, before + len(files))


def wait_for_answers(visit, count):
    visit.page.locator(".results .answer, .results .problem").nth(count - 1).wait_for(timeout=READY)


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
        "note.txt: no picture of a known format",
        "empty.png: the file is empty",
        f"bomb.png: more than {images.MAX_PIXELS:,} pixels",
        HOSTILE.replace("\u202e", "\\u202e") + ": no picture of a known format",
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
    assert odd.locator(".note").inner_text() == (
        f"looks unlike the training images (score {score}, threshold {threshold})"
    )
    assert not odd.locator(".score").is_visible()
    odd.locator("summary").click()
    assert odd.locator(".score").is_visible()
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


def test_keyboard_and_screen_reader(visit):
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Choose pictures"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files([{"name": "one.png", "mimeType": "", "buffer": BLACK}])
    wait_for_answers(visit, 1)
    page.get_by_role("button", name="one", exact=True).focus()
    page.keyboard.press("Enter")
    wait_for_answers(visit, 2)
    page.get_by_role("article", name="one.png").locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("article", name="one.png").locator(".score").first.is_visible()
    assert page.get_by_role("status").inner_text() == "Done: 1 file. The newest come first."
    tree = page.locator("body").aria_snapshot()
    for line in (
        'heading "Classify pictures" [level=1]',
        'button "Choose pictures"',
        'button "Use the camera"',
        'article "one.png":',
        'img "one.png as the models see it, 32 by 32 pixels"',
        'heading "model_0" [level=2]',
    ):
        assert line in tree
    live = page.locator("[aria-live=polite], [role=status]")
    assert [found.get_attribute("class") for found in live.all()] == ["about", "status soft", "results"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_is_legible(app, chromium, scheme):
    visited = browser.Visit(chromium, app.url, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    visited.page.locator(".examples button").first.wait_for(timeout=READY)
    upload(visited, {f"{'long' * 40}.png": BLACK, "x" * 200: b"none"})
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    assert visited.page.evaluate(widths) == [320, 320]
    colours = "(e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor])"
    text, ground = visited.page.locator(".about h1").evaluate(colours)
    assert contrast(text, ground) > 7
    soft, _ = visited.page.locator("footer.soft").evaluate(colours)
    assert contrast(soft, ground) > 4.5
    assert (luminance(ground) > 0.5) == (scheme == "light")
    unnamed = "document.querySelectorAll('.ask button, .ask input, .ask img, .ask video')"
    names = visited.page.evaluate(
        f"[...{unnamed}].map(e => e.ariaLabel ?? e.getAttribute('alt') ?? e.textContent)"
    )
    assert all(name is not None for name in names)
    visited.context.close()


def luminance(colour):
    """Relative luminance of `rgb(r, g, b)`, as WCAG 2 defines it."""
    values = [int(value) / 255 for value in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def test_the_api_is_readable_without_requests_to_other_hosts(app, chromium):
    visited = browser.Visit(chromium, f"{app.url}docs")
    visited.page.get_by_text("/api/classify").first.click()
    visited.page.get_by_role("button", name="Try it out").click()
    visited.page.get_by_text("Add string item").click()
    assert visited.page.locator("input[type=file]").first.is_visible()
    assert visited.hosts == {f"127.0.0.1:{app.port}"}
    assert visited.complaints == []
    visited.context.close()


def test_another_site_cannot_send_pictures_through_a_visitors_browser(app, chromium, tmp_path):
    port = servers.free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    (tmp_path / "site").mkdir()
    with servers.running(tmp_path / "log", *command, ports=[port], cwd=tmp_path / "site"):
        visited = browser.Visit(chromium, f"http://127.0.0.1:{port}/")
        with visited.page.expect_response(f"{app.url}api/classify") as response:
            visited.page.evaluate(SUBMIT, f"{app.url}api/classify")
        assert response.value.status == 403
        visited.context.close()
