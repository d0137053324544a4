"""Albertine's own routes: annotations, explanations, models, files."""

import csv
import io
import json
import time

import pytest
import requests
from expected import LABELS, TEXTS
from service import albertine


@pytest.fixture
def post(service):
    return lambda path, body: requests.post(f"{service.url}{path}", json=body)


def test_annotations_are_those_of_the_command(post, command):
    answer = post("v1/annotate", {"texts": [*TEXTS, ""]}).json()
    assert answer["scores"] == [*command.scores(TEXTS), None]
    rows = [json.loads(line) for line in albertine("classify", "--annotations", "--", *TEXTS).splitlines()]
    for found, row in zip(answer["annotations"], rows):
        (annotation,), (expected,) = found, row["class"]
        assert annotation["annotatorType"] == "category"
        assert (annotation["begin"], annotation["end"]) == (expected["begin"], expected["end"])
        assert (annotation["result"], annotation["metadata"]) == (expected["result"], dict(expected["metadata"]))
    assert answer["annotations"][-1] == []
    assert (answer["usage"]["texts"], answer["usage"]["truncated"]) == (len(TEXTS) + 1, 0)


def test_an_explanation_is_that_of_the_command(post):
    for method in ("shap", "leave-one-out"):
        answer = post("v1/explain", {"text": TEXTS[0], "method": method}).json()
        expected = json.loads(albertine("explain", TEXTS[0], "--method", method))
        assert (expected.pop("text"), expected.pop("score")) == (TEXTS[0], max(answer["values"]))
        assert answer == expected | {"model": "ag_news"}
        assert answer["labels"] == LABELS and len(answer["words"]) > 10


def test_models_are_listed_and_described(service):
    models = requests.get(f"{service.url}v1/models").json()
    (model,) = models["data"]
    assert (model["id"], model["default"], model["loaded"], model["labels"]) == ("ag_news", True, True, LABELS)
    described = requests.get(f"{service.url}v1/models/ag_news").json()
    assert described["labels"] == LABELS and described["card"].startswith("---\n") and described["examples"]


def labeled(service, name, content, **query):
    """The state of a file when it is done, and its content."""
    sent = requests.post(f"{service.url}v1/files", params={"name": name, **query}, data=content)
    assert sent.status_code == 202, sent.text
    url = f"{service.url}v1/files/{sent.json()['id']}"
    deadline = time.monotonic() + 30
    while (state := requests.get(url).json())["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return state, requests.get(f"{url}/content")


def test_a_file_comes_back_with_the_labels_of_the_command(service, command):
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["id", "headline"])
    rows.writerows([f"{i:03}", text] for i, text in enumerate([*TEXTS, ""]))
    state, content = labeled(service, "news.csv", table.getvalue().encode())
    assert (state["state"], state["rows"], state["columns"]) == ("done", 6, ["id", "headline"])
    found = list(csv.DictReader(io.StringIO(content.content.decode(), newline="")))
    assert [row["label"] for row in found] == [*command.labels(TEXTS), ""]
    assert [row["score"] for row in found[:-1]] == [str(row["score"]) for row in command.rows(TEXTS)]
    assert [row["id"] for row in found] == [f"{i:03}" for i in range(6)]


def test_lines_of_json_come_back_as_lines_of_json(service, command):
    lines = "".join(json.dumps({"text": text, "n": i}) + "\n" for i, text in enumerate(TEXTS))
    _, content = labeled(service, "news.jsonl", lines.encode())
    found = [json.loads(line) for line in content.text.splitlines()]
    assert [(row["n"], row["label"], row["score"]) for row in found] == [
        (i, row["label"], row["score"]) for i, row in enumerate(command.rows(TEXTS))
    ]


def test_a_column_that_is_missing_is_told_with_those_that_there_are(service):
    state, content = labeled(service, "news.csv", b"id,title,titel\n1,Oil,Oil\n", text_column="tilte")
    assert (state["state"], state["columns"]) == ("failed", ["id", "title", "titel"])
    assert "there is no column `tilte`" in state["error"]
    error = content.json()
    assert (content.status_code, error["error_type"]) == (409, "conflict")
    assert (error["error"], error["columns"]) == (state["error"], ["id", "title", "titel"])
