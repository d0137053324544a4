"""A real browser on a real service. Whatever the console of the browser complains about fails the test."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM)


@pytest.fixture
def open_page(browser, service):
    """Opens the page in a new window: `open_page(viewport=.., color_scheme=.., url=..)`."""
    contexts, complaints, requests = [], [], []

    def new(url=None, ready=True, width=1280, height=860, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **options)
        context.set_default_timeout(20_000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.complaints, page.requests = complaints, requests
        page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request))
        page.goto(url or service.url)
        if ready:
            page.locator(".word").first.wait_for()
        return page

    yield new
    for context in contexts:
        context.close()
    origin = service.url if service.process.poll() is None else None
    foreign = [request.url for request in requests if not request.url.startswith(("http://127.0.0.1:", "blob:"))]
    assert not complaints, f"{origin}: {complaints}"
    assert not foreign


@pytest.fixture
def page(open_page):
    return open_page()


@pytest.fixture(scope="session")
def axe():
    """Fails on what axe-core finds in the state in which a page is."""
    engine = Axe()

    def check(page):
        # Colors on their way are no colors.
        page.evaluate("Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})))")
        found = engine.run(page, options=RULES)
        assert not found.response["violations"], found.generate_report()

    return check
