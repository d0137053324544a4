"""The page for everybody: keyboard, screen reader, phone, dark, less motion, and when something fails."""

import json
import re

import pytest
from playwright.sync_api import expect
from service import Service
from test_page import BUSINESS, SPORTS, put, table

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def focused(page):
    return page.evaluate(
        "document.activeElement.id || document.activeElement.className || document.activeElement.value"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(open_page, axe, tmp_path, scheme, width):
    page = open_page(width=width, height=780, color_scheme=scheme)

    def check():
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    check()
    put(page, BUSINESS + " " + "x" * 300)
    page.get_by_text("The pieces, as the model sees them").click()
    page.get_by_text("Read the model card").click()
    expect(page.locator("#pieces li").first).to_be_visible()
    page.get_by_role("button", name="This is wrong").click()
    check()
    page.locator("#right-labels button:visible").first.click()
    page.locator("#file").set_input_files(table(tmp_path / f"{'long' * 12}.csv", 60))
    page.get_by_role("button", name="Download", exact=True).wait_for()
    check()
    page.locator(".word").first.focus()
    expect(page.get_by_role("tooltip")).to_be_visible()
    check()


def test_the_theme_is_the_systems_until_one_is_chosen(open_page):
    page = open_page(color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    button = page.get_by_role("button", name="Dark theme")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    light = page.evaluate(paper)
    assert light != dark
    page.reload()
    assert page.evaluate(paper) == light


def test_the_keyboard_alone_is_enough(open_page):
    page = open_page()
    # From here on the dialog of the browser is caught; asked for at the last moment, it may come too late.
    page.on("filechooser", lambda _: None)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type(SPORTS)
    expect(page.locator("#verdict")).to_contain_text("Sports")
    expect(page.locator("#words")).not_to_have_class(re.compile("stale"))
    expect(page.locator("#words")).to_contain_text("striker")
    stops = []
    while not page.evaluate("document.activeElement.type === 'radio' && document.activeElement.name === 'class'"):
        page.keyboard.press("Tab")
        stops.append(focused(page))
        assert len(stops) < 20, stops
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", name="Why Business?")).to_be_visible()
    while "word" not in page.evaluate("document.activeElement.className"):
        page.keyboard.press("Tab")
        stops.append(focused(page))
        assert len(stops) < 30, stops
    expect(page.get_by_role("tooltip")).to_contain_text("The")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tooltip")).to_contain_text("striker")
    page.keyboard.press("End")
    expect(page.locator(".word").last).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tooltip")).to_contain_text("cup")
    # All words are one stop.
    page.keyboard.press("Tab")
    assert "word" not in page.evaluate("document.activeElement.className")
    page.keyboard.press("Enter")
    expect(page.locator("#pieces li").first).to_be_visible()
    page.get_by_role("button", name="choose one").focus()
    with page.expect_file_chooser():
        page.keyboard.press("Enter")


def test_a_screen_reader_hears_the_result_once_typing_pauses(page):
    page.evaluate("""() => {
        window.spoken = [];
        new MutationObserver(() => window.spoken.push(document.getElementById('spoken').textContent))
            .observe(document.getElementById('spoken'), { childList: true, characterData: true, subtree: true });
    }""")
    page.get_by_label("Text to classify").fill("")
    page.get_by_label("Text to classify").press_sequentially(SPORTS, delay=5)
    expect(page.locator("#spoken")).to_contain_text("Sports")
    assert 1 <= len([text for text in page.evaluate("window.spoken") if text]) <= 3
    assert page.get_by_role("radio", name=re.compile(r"Sports .*%")).is_checked()


def test_less_motion_where_it_is_asked_for(open_page):
    page = open_page(reduced_motion="reduce")
    durations = page.locator(".fill, .word").evaluate_all(
        "(all) => all.map((e) => getComputedStyle(e).transitionDuration)"
    )
    assert set(durations) == {"0s"}


def test_the_policy_holds_and_allows_nothing_foreign(page, service):
    assert page.request.get(service.url, headers={"Accept": "text/html"}).headers["content-security-policy"] == POLICY
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.injected = 1' }))"
    )
    assert page.evaluate("window.injected") is None
    assert any("Content Security Policy" in complaint for complaint in page.complaints)
    page.complaints.clear()


def test_an_overloaded_server_is_asked_again(page):
    answers = []

    def overloaded(route):
        if len(answers) < 2:
            answers.append(1)
            body = json.dumps({"error": "the queue is full", "error_type": "overloaded"})
            route.fulfill(status=429, headers={"Retry-After": "1"}, content_type="application/json", body=body)
        else:
            route.continue_()

    page.route("**/v1/annotate", overloaded)
    page.get_by_label("Text to classify").fill(SPORTS)
    expect(page.locator("#notice")).to_contain_text("The server is busy. Trying again in 1 s.")
    expect(page.locator("#verdict")).to_contain_text("Sports")
    expect(page.locator("#notice")).to_be_hidden()
    page.complaints.clear()


def test_an_error_is_told_with_what_to_do(page, axe):
    body = {"error": "the text is longer than 1 MB", "error_type": "validation", "hint": "send a shorter one"}
    page.route("**/v1/annotate", lambda route: route.fulfill(status=422, json=body))
    page.get_by_label("Text to classify").fill(SPORTS)
    expect(page.locator("#notice")).to_have_text("The text is longer than 1 MB. Send a shorter one.")
    axe(page)
    page.complaints.clear()


def test_the_page_says_that_the_server_is_gone_and_goes_on_when_it_is_back(open_page, axe):
    first = Service()
    page = open_page(first.url)
    first.stop()
    page.get_by_label("Text to classify").fill(SPORTS)
    expect(page.locator("#notice")).to_contain_text("The server does not answer.")
    axe(page)
    with Service(port=first.port):
        expect(page.locator("#notice")).to_be_hidden()
        expect(page.locator("#verdict")).to_contain_text("Sports")
    page.complaints.clear()


def test_a_key_is_asked_for_and_kept_for_the_tab(open_page, axe, tmp_path):
    with Service(ALBERTINE_API_KEY="the right key") as service:
        page = open_page(service.url, ready=False)
        dialog = page.get_by_role("dialog", name="This server asks for an API key")
        expect(dialog).to_be_visible()
        axe(page)
        page.get_by_role("textbox", name="API key").fill("a wrong key")
        page.keyboard.press("Enter")
        expect(page.locator("#key-note")).to_contain_text("does not accept")
        page.get_by_role("textbox", name="API key").fill("the right key")
        page.keyboard.press("Enter")
        page.locator(".word").first.wait_for()
        expect(dialog).to_be_hidden()
        page.locator("#file").set_input_files(table(tmp_path / "news.csv", 20))
        with page.expect_download() as download:
            page.get_by_role("button", name="Download", exact=True).click()
        assert download.value.suggested_filename == "news_labeled.csv"
        assert "label" in open(download.value.path()).readline()
        page.complaints.clear()
        page.reload()
        page.locator(".word").first.wait_for()
        expect(dialog).to_be_hidden()


def test_a_key_that_is_refused_leaves_a_sentence(open_page):
    with Service(ALBERTINE_API_KEY="the right key") as service:
        page = open_page(service.url, ready=False)
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#notice")).to_contain_text("This server needs an API key.")
        page.get_by_label("Text to classify").fill(SPORTS)
        expect(page.get_by_role("dialog")).to_be_visible()
        page.complaints.clear()
