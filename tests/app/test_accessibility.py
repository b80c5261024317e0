"""The page by keyboard, for a screen reader, on a phone, light and dark."""

import numpy as np

from tests import browser
from tests.webapp import BLACK, READY, upload, wait_for_answers


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


def test_the_page_fits_a_phone_and_is_legible(app, chromium):
    visited = browser.Visit(chromium, app.url, viewport={"width": 320, "height": 640})
    visited.page.locator(".examples button").first.wait_for(timeout=READY)
    upload(visited, {f"{'long' * 40}.png": BLACK, "x" * 200: b"none"})
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    assert visited.page.evaluate(widths) == [320, 320]
    colours = "(e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor])"
    for scheme in ("light", "dark"):
        visited.page.emulate_media(color_scheme=scheme)
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
