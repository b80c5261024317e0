"""Take docs/app.png: a screenshot of `make app` with the answers for the astronaut and two test images."""

import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

TARGET = Path("docs/app.png")
CHROMIUM = "/usr/bin/chromium"
EXAMPLES = (8, 3, -1)  # indices of the page's examples; the newest answer comes first
SIZE = {"width": 1000, "height": 700}  # pixels; the screenshot has the full height of the page
COLOURS = 128  # enough for the page, with a third of the bytes


def main() -> None:
    """Start the app, classify the examples, take the screenshot."""
    command = [sys.executable, "-m", "cifar10.app", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as app:
        try:
            assert app.stdout is not None  # noqa: S101  (it is a pipe)
            url = app.stdout.readline().split()[1]
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
                page.goto(url)
                ask(page)
                page.screenshot(path=TARGET, full_page=True)
                browser.close()
        finally:
            app.terminate()
    with Image.open(TARGET) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(TARGET, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


def ask(page: Page) -> None:
    """Classify the examples, one after the other."""
    buttons = page.locator(".examples button")
    buttons.first.wait_for()
    for count, index in enumerate(EXAMPLES):
        buttons.nth(index).click()
        page.locator(".answer").nth(count).wait_for()


if __name__ == "__main__":
    main()
