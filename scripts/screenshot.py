"""Take docs/app.png: the page of `make app` with the astronaut and two test images, by the present models."""

import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

TARGET = Path("docs/app.png")
CHROMIUM = "/usr/bin/chromium"
EXAMPLES = (8, 3, -1)  # of those on the page; the newest answer comes first
SIZE = {"width": 1000, "height": 700}  # pixels; the picture is as long as the page
COLOURS = 128  # enough for a page, and a third of the bytes


def main() -> None:
    """Start the page, ask, take the picture."""
    command = [sys.executable, "-m", "cifar10.app", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as app:
        try:
            assert app.stdout is not None  # noqa: S101  (a pipe was asked for)
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
    """Ask about the examples, one after the other."""
    buttons = page.locator(".examples button")
    buttons.first.wait_for()
    for count, index in enumerate(EXAMPLES):
        buttons.nth(index).click()
        page.locator(".answer").nth(count).wait_for()


if __name__ == "__main__":
    main()
