"""Makes the pictures in docs/screenshots, after `make page`:

PYTHONPATH=crates/server/tests .venv/service/bin/python crates/server/tests/page/screenshots.py
"""

import tempfile
from pathlib import Path

from conftest import CHROMIUM
from playwright.sync_api import sync_playwright
from service import ROOT, Service
from test_page import BUSINESS, SPORTS, put

OUT = ROOT / "docs/screenshots"
TEXT = (
    "Google's shares rose on Wall Street after the search engine company said that scientists at its laboratories "
    "had taught computers to read the news."
)
DESKTOP = {"viewport": {"width": 1200, "height": 800}}
PHONE = {"viewport": {"width": 360, "height": 1180}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


def news(path):
    """A table with more of some classes than of others."""
    texts = [
        SPORTS,
        BUSINESS,
        SPORTS,
        "Voters went to the polls in Baghdad.",
        BUSINESS,
        SPORTS,
        "NASA sent a probe to Saturn.",
    ]
    path.write_text("text\n" + "".join(f'"{texts[i * i % 31 % 7]} {i}"\n' for i in range(24_000)))
    return path


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    with Service() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)

        def opened(**options):
            page = browser.new_context(**options).new_page()
            page.goto(service.url)
            page.locator(".word").first.wait_for()
            put(page, TEXT)
            page.mouse.move(0, 0)
            page.wait_for_timeout(600)
            return page

        def picture(page, name):
            page.wait_for_timeout(600)
            page.screenshot(path=OUT / f"{name}.png")

        picture(opened(**DESKTOP), "light")

        page = opened(**DESKTOP, color_scheme="dark")
        page.locator(".bar", has_text="Business").click()
        page.locator(".word", has_text="shares").hover()
        picture(page, "dark")

        picture(opened(**PHONE), "phone")

        page = opened(**DESKTOP)
        with tempfile.TemporaryDirectory() as folder:
            page.locator("#file").set_input_files(news(Path(folder) / "news.csv"))
            page.get_by_text("Read the model card").click()
            page.locator(".job-state", has_text="rows/s").wait_for()
            page.locator(".file").evaluate("(section) => section.scrollIntoView({ block: 'start' })")
            picture(page, "file")


if __name__ == "__main__":
    main()
