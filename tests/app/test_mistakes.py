"""The page of mistakes: the list of a class, and an image beside similar training images."""

import json
import threading

import numpy as np
import pytest
import requests

from tests import browser
from tests.webapp import BLACK, MODELS, READY, SEEDS, encoded, read_csv

# The cosine of an image's features with those of each compared image, by the first training of a model.
COSINES = """
import json, sys
import numpy as np
from cifar10.training import models
models.make_deterministic(seed=0)
from cifar10.evaluation import nearest
from cifar10.predict import predictor
name, image = sys.argv[1], int(sys.argv[2])
extract = predictor.load([name], seed="0").extractors[name][0]
test, train = (np.load(f"data/processed/{split}/images.npy") for split in ("test", "train"))
compared = nearest.sample(len(train))
one, others = (extract(images).features.astype(float) for images in (test[[image]], train[compared]))
cosines = others @ one[0] / np.linalg.norm(others, axis=1) / np.linalg.norm(one)
print(json.dumps(dict(zip(compared.tolist(), cosines.tolist()))))
"""


def get(app, path, **query):
    return requests.get(f"{app.url}{path}", params=query, timeout=100)


def confident(finished, name):
    """Actual class, image, predicted class and probability of all mistakes, the most confident first."""
    tables = [read_csv(finished.root / f"reports/predictions/{name}/seed_{seed}.csv") for seed in SEEDS]
    found = []
    for image, rows in enumerate(zip(*tables, strict=True)):
        labels = [key.removeprefix("probability_") for key in rows[0] if "_" in key]
        shares = {each: np.mean([float(row[f"probability_{each}"]) for row in rows]) for each in labels}
        guess = max(shares, key=shares.get)
        if guess != rows[0]["actual"]:
            found.append((rows[0]["actual"], image, guess, shares[guess]))
    return sorted(found, key=lambda entry: -entry[3])


def test_an_image_is_shown_with_map_and_nearest_training_images(finished, app):
    actual, image, guess, share = confident(finished, "model_1")[0]
    reply = get(app, f"api/mistakes/{image}", model="model_1").json()
    assert (reply["actual"], reply["predicted"]) == (actual, guess)
    assert reply["probabilities"][guess] == pytest.approx(share, rel=1e-12)

    cosines = json.loads(finished.run("python", "-c", COSINES, "model_1", str(image)).splitlines()[-1])
    listed = [entry["similarity"] for entry in reply["similar"]]
    assert listed == sorted(listed, reverse=True)
    np.testing.assert_allclose(listed, sorted(cosines.values(), reverse=True)[:6], atol=1e-4)
    labels = np.load(finished.root / "data/processed/train/labels.npy")
    classes = json.loads((finished.root / "data/processed/classes.json").read_text())
    for entry in reply["similar"]:
        assert entry["similarity"] == pytest.approx(cosines[str(entry["image"])], abs=1e-4)
        assert entry["actual"] == classes[labels[entry["image"]]]

    pictures = np.load(finished.root / "data/processed/train/images.npy")
    first = reply["similar"][0]
    assert get(app, first["picture"]).content == encoded(pictures[first["image"]])
    pictures = np.load(finished.root / "data/processed/test/images.npy")
    assert get(app, reply["picture"]).content == encoded(pictures[image])
    files = [("files", ("a.png", encoded(pictures[image])))]
    asked = requests.post(f"{app.url}api/saliency", files=files, params={"model": "model_1"}, timeout=100)
    assert reply["saliency"] == asked.json()["images"][0]["maps"]["model_1"]

    for path, query in (("api/mistakes/-1", {"model": "model_1"}), ("images/train/99999.png", {})):
        refused = get(app, path, **query)
        assert refused.status_code == 404
        assert "does not exist" in refused.json()["detail"]
    assert get(app, "images/validation/0.png").status_code == 422
    assert get(app, f"api/mistakes/{image}", model="x").json()["detail"].startswith("no model 'x', expected")


def test_answers_at_the_same_time_are_the_same(finished, app):
    """Features of model_2 are computed once; pictures are classified between its batches."""
    images = [entry[1] for entry in confident(finished, "model_2")[:4]]
    before, found = app.classify(("a.png", BLACK)).json(), {}

    def ask(image):
        found[image] = get(app, f"api/mistakes/{image}", model="model_2").json()

    threads = [threading.Thread(target=ask, args=[image]) for image in images]
    for thread in threads:
        thread.start()
    assert app.classify(("a.png", BLACK)).json() == before
    for thread in threads:
        thread.join()
    for image in images:
        assert found[image]["image"] == image
        assert found[image] == get(app, f"api/mistakes/{image}", model="model_2").json()


def test_a_mistake_is_found_and_inspected_by_keyboard(finished, visit):
    page = visit.page
    page.get_by_role("link", name="Mistakes on test images").focus()
    page.keyboard.press("Enter")
    page.get_by_text("test images of zero").wait_for(timeout=READY)
    assert page.get_by_label("Model").locator("option").all_inner_texts() == MODELS
    actual, image, guess, share = confident(finished, "model_2")[0]
    page.get_by_label("Model").select_option("model_2")
    page.get_by_label("Actual class").select_option(actual)
    wrong = [entry for entry in confident(finished, "model_2") if entry[0] == actual]
    page.get_by_text(f"model_2 gets {len(wrong)} of").wait_for(timeout=READY)
    assert f"test images of {actual} wrong: number 1 to " in page.get_by_role("status").first.inner_text()
    buttons = page.get_by_role("list", name="Mistakes").get_by_role("button")
    said = [text.replace("\n", " ").replace("\u00a0", " ") for text in buttons.all_inner_texts()]
    assert said == [f"{each[2]} {100 * each[3]:.1f} % image {each[1]}" for each in wrong[:24]]
    assert page.get_by_role("option", selected=True).all_inner_texts() == [
        "model_2",
        f"{actual} ({len(wrong)} wrong)",
    ]

    page.reload()  # the address has the choice
    page.get_by_text(f"model_2 gets {len(wrong)} of").wait_for(timeout=READY)
    buttons.first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Test image {image}: {actual}")
    similar = dialog.get_by_role("list", name="Most similar training images").get_by_role("listitem")
    similar.nth(5).wait_for(timeout=READY)
    assert similar.count() == 6
    answer = dialog.locator(".answer-line").inner_text().replace("\u00a0", " ")
    assert answer.startswith(f"model_2 predicts {guess} ({100 * share:.1f} %); it gives {actual} ")
    assert dialog.get_by_role("img", name=f"Test image {image}, {actual}").is_visible()
    assert dialog.get_by_role("img", name=f"orange where it raises the score of {guess}").is_visible()
    loaded = "images => Promise.all(images.map(image => image.decode())).then(() => images.length)"
    assert dialog.locator("img").evaluate_all(loaded) == 2 + 6  # it rejects an image that does not load
    assert buttons.first.locator("img").evaluate_all(loaded) == 1
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert buttons.first.evaluate("button => button === document.activeElement")
    assert visit.complaints == []
    assert len(visit.hosts) == 1


def test_the_mistakes_fit_a_phone(finished, app, chromium):
    (actual, *_), *_ = confident(finished, "model_2")
    url = f"{app.url}mistakes?model=model_2&class={actual}"
    visited = browser.Visit(chromium, url, viewport={"width": 320, "height": 640})
    buttons = visited.page.locator(".mistakes button")
    buttons.first.wait_for(timeout=READY)
    buttons.first.click()
    visited.page.locator(".similar li").first.wait_for(timeout=READY)
    widths = "[e.scrollWidth - e.clientWidth, document.documentElement.scrollWidth]"
    assert visited.page.locator("dialog").evaluate(f"e => {widths}") == [0, 320]
    visited.page.get_by_role("button", name="Close").click()
    assert not visited.page.locator("dialog").is_visible()
    visited.context.close()
