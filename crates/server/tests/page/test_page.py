"""The page at `/`, as people use it: text, explanation, files, corrections, links."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from service import ROOT, Service, albertine

SPORTS = "The striker scored twice in the last five minutes to send his team into the final of the cup."
BUSINESS = "Oil prices climbed to a record on Monday and shares on Wall Street fell."
LABELS = ["World", "Sports", "Business", "Sci/Tech"]


def classified(text):
    """Label and score by the command."""
    row = json.loads(albertine("classify", text))
    return row["label"], row["score"]


def put(page, text):
    """Another text, explained."""
    page.get_by_label("Text to classify").fill(text)
    with page.expect_response(lambda response: "v1/explain" in response.url):
        pass
    expect(page.locator("#words")).not_to_have_class(re.compile("stale"))


def verdict(page):
    return page.locator("#verdict").inner_text().replace("\u00a0", " ").split()


def percent(score):
    return f"{100 * score:.1f}" if score <= 0.999 else "99.9"


def table(path, rows=400, column="text"):
    """A CSV file of texts with commas, quotation marks, line ends and blanks."""
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", column])
        for i in range(rows):
            texts = [
                SPORTS,
                BUSINESS,
                'He said "yes",\nand NASA sent a probe to Saturn.',
                "Voters went to the polls.",
                "",
            ]
            out.writerow([i, texts[i % 5] and f"{texts[i % 5]} {i}"])
    return path


# Typing


def test_bars_move_while_one_types_and_end_at_the_scores_of_the_command(page):
    box = page.get_by_label("Text to classify")
    box.fill("")
    expect(page.locator("#verdict")).to_have_text("Nothing to read yet")
    seen = set()
    for character in SPORTS:
        box.press_sequentially(character)
        seen.add(page.locator(".bar .number").first.inner_text())
    label, score = classified(SPORTS)
    expect(page.locator("#verdict")).to_contain_text(label)
    expect(page.locator(".bar.best .number")).to_contain_text(percent(score))
    assert len(seen) > 5
    assert re.fullmatch(r"answered in [\d.]+ m?s", page.locator("#timing").inner_text())


def test_an_answer_that_a_newer_text_has_overtaken_is_not_shown(page):
    held = []
    page.route("**/v1/annotate", lambda route: held.append(route) if not held else route.continue_())
    page.get_by_label("Text to classify").fill(BUSINESS)
    page.wait_for_timeout(200)
    # An example is another text altogether: the call under way is given up.
    page.locator("#examples button").nth(1).click()
    expected, _ = classified(page.get_by_label("Text to classify").input_value())
    expect(page.locator("#verdict")).to_contain_text(expected)
    held[0].abort()
    page.wait_for_timeout(200)
    expect(page.locator("#verdict")).to_contain_text(expected)


def test_a_blank_text_has_no_class(page, axe):
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Text to classify")).to_be_focused()
    expect(page.locator("#verdict")).to_have_text("Nothing to read yet")
    assert set(page.locator(".bar .number").all_inner_texts()) == {"–"}
    expect(page.get_by_role("button", name="This is wrong")).to_be_disabled()
    axe(page)
    page.get_by_label("Text to classify").fill(" \n\t ")
    page.wait_for_timeout(700)
    expect(page.locator("#verdict")).to_have_text("Nothing to read yet")


def test_a_long_text_is_read_to_the_limit_and_that_is_said(page):
    put(page, (BUSINESS + " ") * 80)
    expect(page.locator("#text-note")).to_contain_text("Only the first 512 pieces")
    assert page.locator("#words").inner_text().strip() == ((BUSINESS + " ") * 80).strip()
    expect(page.locator("#words .unread")).to_contain_text("Wall Street fell.")
    assert page.locator(".word").count() < 512
    page.get_by_text("The pieces, as the model sees them").click()
    expect(page.locator("#pieces .unread").first).to_be_attached()


def test_foreign_text_is_never_markup(page):
    text = "<img src=x onerror=alert(1)> <b>bold</b> 👩‍👩‍👧 né\u0301e \U0001f600 & <script>alert(2)</script>"
    put(page, text)
    assert page.locator("#words").inner_text() == text
    assert page.locator("#words img, #words script, #words b").count() == 0
    assert "😀" in page.locator(".word").all_inner_texts()


# Why


def test_words_are_explained_with_numbers_on_hover_and_focus(page, axe):
    put(page, BUSINESS)
    expect(page.get_by_role("heading", name="Why Business?")).to_be_visible()
    assert page.locator("#words").inner_text() == BUSINESS
    assert page.locator(".word[data-word=for]").count() > 0
    # Not by color alone.
    style = "(word) => getComputedStyle(word).textDecorationStyle + getComputedStyle(word).textDecorationLine"
    assert page.locator(".word[data-word=for]").first.evaluate(style) == "solidunderline"
    oil = page.locator(".word", has_text="Oil").first
    assert re.search(r"Oil: [+−]?[\d.]+ points for Business", oil.get_attribute("aria-label"))
    oil.hover()
    tip = page.get_by_role("tooltip")
    expect(tip).to_be_visible()
    assert tip.locator(".tip-row span:first-child").all_inner_texts() == LABELS
    axe(page)
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_weights_add_up_to_the_score(page):
    with page.expect_response("**/v1/explain") as response:
        page.get_by_label("Text to classify").fill(SPORTS)
    answer = response.value.json()
    for place, value in enumerate(answer["values"]):
        total = answer["base"][place] + sum(word["weights"][place] for word in answer["words"])
        assert total == pytest.approx(value, abs=1e-4)


def test_another_class_is_explained_by_a_click_and_by_the_keyboard(page, axe):
    put(page, BUSINESS)
    before = page.locator(".word").evaluate_all("(words) => words.map((word) => word.getAttribute('aria-label'))")
    page.locator(".bar", has_text="World").click()
    expect(page.get_by_role("heading", name="Why World?")).to_be_visible()
    after = page.locator(".word").evaluate_all("(words) => words.map((word) => word.getAttribute('aria-label'))")
    assert before != after and all(label.endswith("for World") for label in after)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("heading", name="Why Sports?")).to_be_visible()
    assert "class=Sports" in page.url
    axe(page)


def test_the_other_method_is_a_choice(page):
    with page.expect_request("**/v1/explain") as request:
        page.get_by_role("radio", name="Leave one out").check()
    assert request.value.post_data_json["method"] == "leave-one-out"
    expect(page.locator("#why-note")).to_contain_text("Leave one out")


def test_pieces_are_those_of_the_tokenizer(page, axe):
    put(page, BUSINESS)
    page.get_by_text("The pieces, as the model sees them").click()
    pieces = page.locator("#pieces li")
    expect(pieces.first).to_contain_text("[CLS]")
    expect(pieces.last).to_contain_text("[SEP]")
    shown = [piece.split("\n")[0] for piece in pieces.all_inner_texts()]
    assert "".join(shown[1:-1]).replace("▁", " ").strip() == BUSINESS.lower()
    axe(page)


def test_the_model_card_is_read_on_the_page(page, axe):
    page.get_by_text("Read the model card").click()
    card = page.locator("#card")
    expect(card.get_by_role("heading", name="Albertine's built-in AG News classifier")).to_be_visible()
    assert card.locator("table").count() >= 3
    assert all(url.startswith("http") for url in card.locator("a").evaluate_all("(links) => links.map((a) => a.href)"))
    assert "license: apache-2.0" not in card.inner_text()
    axe(page)


def test_a_hostile_card_is_only_text(open_page, service):
    card = (
        "# <script>alert(1)</script>\n[a](javascript:alert(1)) ![x](http://example.com/x.png) <b>y</b>\n\n"
        "| a | b |\n|--|--|\n| `|`"
    )

    def answer(route):
        body = route.fetch().json() | {"card": card}
        route.fulfill(json=body)

    page = open_page()
    page.route("**/v1/models/*", answer)
    page.reload()
    page.locator(".word").first.wait_for()
    page.get_by_text("Read the model card").click()
    assert page.locator("#card :is(script, img, b, a)").count() == 0
    assert "<script>alert(1)</script>" in page.locator("#card").inner_text()


# Files


def labeled(page, path):
    """Waits for the labeled file and downloads it."""
    page.get_by_role("button", name="Download", exact=True).wait_for(timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    download.value.save_as(path)
    return download.value.suggested_filename, Path(path).read_bytes()


def by_command(path, out, *arguments):
    albertine("--quiet", "classify", "--input", str(path), "--output", str(out), *arguments)
    return Path(out).read_bytes()


def test_a_csv_file_comes_back_as_the_command_labels_it(page, axe, tmp_path):
    source = table(tmp_path / "news.csv")
    page.locator("#file").set_input_files(source)
    name, content = labeled(page, tmp_path / "page.csv")
    assert name == "news_labeled.csv"
    assert content == by_command(source, tmp_path / "command.csv")
    expect(page.locator(".job-state")).to_contain_text("400 rows labeled in")
    counted = [int(number.split()[0].replace(",", "")) for number in page.locator(".chart .number").all_inner_texts()]
    assert sum(counted) == 400
    expect(page.locator(".chart li").last).to_have_text("No text80")
    axe(page)


@pytest.mark.parametrize("extension", ["jsonl", "parquet"])
def test_a_file_is_dropped_anywhere(page, tmp_path, extension):
    source = tmp_path / f"news.{extension}"
    albertine("--quiet", "classify", "--input", str(table(tmp_path / "t.csv", 50)), "--output", str(source))
    transfer = page.evaluate_handle(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }""",
        [source.name, list(source.read_bytes())],
    )
    page.dispatch_event("h1", "dragover", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_have_class(re.compile("over"))
    page.dispatch_event("h1", "drop", {"dataTransfer": transfer})
    _, content = labeled(page, tmp_path / f"page.{extension}")
    assert content == by_command(source, tmp_path / f"command.{extension}")


def test_columns_are_asked_for_where_none_is_a_text(page, axe, tmp_path):
    source = table(tmp_path / "news.csv", 20, column="what happened")
    page.locator("#file").set_input_files(source)
    box = page.get_by_role("checkbox", name="what happened")
    expect(page.get_by_role("checkbox").first).to_be_focused()
    axe(page)
    box.check()
    page.get_by_role("button", name="Label", exact=True).click()
    _, content = labeled(page, tmp_path / "page.csv")
    assert content == by_command(source, tmp_path / "command.csv", "--text-column", "what happened")


def test_the_server_is_asked_for_columns_that_the_page_cannot_read(page, tmp_path):
    source = tmp_path / "news.parquet"
    given = table(tmp_path / "t.csv", 20, column="what")
    albertine("--quiet", "classify", "--input", str(given), "--text-column", "what", "--output", str(source))
    page.locator("#file").set_input_files(source)
    expect(page.locator(".job-state")).to_contain_text("column")
    expect(page.get_by_role("checkbox")).to_have_count(4)  # id, what, label and score
    page.get_by_role("checkbox", name="what", exact=True).check()
    page.get_by_role("button", name="Label", exact=True).click()
    _, content = labeled(page, tmp_path / "page.parquet")
    assert content == by_command(source, tmp_path / "command.parquet", "--text-column", "what")


def test_a_file_is_cancelled(page, tmp_path):
    with page.expect_request(re.compile("v1/files/[^/?]+$")) as request:
        page.locator("#file").set_input_files(table(tmp_path / "long.csv", 60_000))
    url = request.value.url
    expect(page.locator(".job-state")).to_contain_text("rows")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="choose one")).to_be_focused()
    page.wait_for_timeout(500)
    assert page.request.get(url).status == 404


def test_a_file_that_is_none_is_told_as_such(page, axe, tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"this is no Parquet")
    page.locator("#file").set_input_files(tmp_path / "broken.parquet")
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    assert len(page.locator(".job-state").inner_text()) > 20
    axe(page)
    page.complaints.clear()


# Corrections


def test_what_is_wrong_is_collected_into_a_file_for_training(page, axe, tmp_path):
    texts = [BUSINESS, 'He said "no, never"\nand left.', "=1+1, or so"]
    for text in texts:
        put(page, text)
        page.get_by_role("button", name="This is wrong").click()
        choices = page.locator("#right-labels button:visible")
        assert set(choices.all_inner_texts()) == set(LABELS) - {verdict(page)[0]}
        axe(page)
        choices.first.click()
        expect(page.get_by_role("button", name="This is wrong")).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", name="Your 3 corrections")).to_be_visible()
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_bytes().decode(), newline="")))
    assert [list(row) for row in rows] == [["text", "label"]] * 3
    assert [row["text"] for row in rows] == texts
    assert {row["label"] for row in rows} <= set(LABELS)
    download.value.save_as(tmp_path / "corrections.csv")
    evaluated = json.loads(albertine("--quiet", "evaluate", "--input", str(tmp_path / "corrections.csv")))
    assert evaluated["eval_accuracy"] == 0  # the command reads it, and the model was wrong each time
    page.get_by_role("button", name="Remove the correction of “=1+1").click()
    expect(page.get_by_role("heading", name="Your 2 corrections")).to_be_focused()
    page.get_by_role("button", name="Delete all").click()
    expect(page.locator("#corrections")).to_be_hidden()


# Links


def test_a_link_keeps_text_and_class_and_no_server_sees_it(page, open_page):
    text = "Größe & prices: 5 % of #all\nnew + line"
    put(page, text)
    page.locator(".bar", has_text="Sports").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    url = page.evaluate("navigator.clipboard.readText()")
    assert url == page.url and "#text=" in url
    other = open_page(url)
    expect(other.get_by_label("Text to classify")).to_have_value(text)
    expect(other.get_by_role("heading", name="Why Sports?")).to_be_visible()
    assert not any("prices" in request.url.split("#")[0] for request in page.requests)
    assert not any("prices" in request.headers.get("referer", "") for request in page.requests)
    # A link in the same window.
    other.evaluate("location.hash = 'text=Cup'")
    expect(other.get_by_label("Text to classify")).to_have_value("Cup")


def test_the_page_is_small():
    size = sum(path.stat().st_size for path in (ROOT / "crates/server/src/page").iterdir())
    assert size < 100_000


# Several models, and a service that collects


def test_models_are_chosen_and_corrections_reach_a_service_that_collects_them(open_page, axe, tmp_path):
    collected = tmp_path / "collected.csv"
    models = ["--model", "first=ag_news", "--model", "second=ag_news"]
    with Service(*models, "--corrections", str(collected)) as service:
        page = open_page(service.url)
        with page.expect_request("**/v1/annotate") as request:
            page.get_by_role("combobox", name="Model").select_option("second")
        assert request.value.post_data_json["model"] == "second"
        put(page, BUSINESS)
        assert "model=second" in page.url
        page.get_by_role("button", name="This is wrong").click()
        with page.expect_response("**/v1/corrections") as response:
            page.locator("#right-labels").get_by_role("button", name="Sports").click()
        assert response.value.status == 204
        expect(page.locator("#corrections-note")).to_contain_text("sent to this server")
        axe(page)
        # Another model has corrections of its own.
        page.get_by_role("combobox", name="Model").select_option("first")
        expect(page.locator("#corrections")).to_be_hidden()
        page.close()
    assert list(csv.DictReader(collected.open(newline=""))) == [{"text": BUSINESS, "label": "Sports"}]
