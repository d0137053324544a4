"""text-embeddings-inference: its routes, as its README calls them."""

import re

import pytest
import requests
from expected import LABELS, TEXTS, as_scores

LONG = "Oil prices rose. " * 300 + "The team won the cup."


@pytest.fixture
def post(service):
    return lambda path, body: requests.post(f"{service.url}{path}", json=body)


def test_a_text_alone_is_a_list(post, command):
    assert as_scores(post("predict", {"inputs": TEXTS[0]}).json()) == command.scores(TEXTS[:1])[0]
    assert as_scores(post("predict", {"inputs": TEXTS[:1]}).json()) == command.scores(TEXTS[:1])[0]


def test_a_batch_is_a_list_of_lists(post, command):
    answer = post("predict", {"inputs": [[text] for text in TEXTS]}).json()
    assert [as_scores(ranked) for ranked in answer] == command.scores(TEXTS)


def test_two_texts_are_a_pair(post):
    pair = post("predict", {"inputs": TEXTS[:2]}).json()
    assert [as_scores(pair)] == [as_scores(ranked) for ranked in post("predict", {"inputs": [TEXTS[:2]]}).json()]
    as_dictionary = {"inputs": {"text": TEXTS[0], "text_pair": TEXTS[1]}}
    assert as_scores(pair) == as_scores(post("", as_dictionary).json())
    assert as_scores(pair) != as_scores(post("predict", {"inputs": TEXTS[0]}).json())


def test_a_batch_is_larger_than_tei_takes(post, command):
    answer = post("predict", {"inputs": [[TEXTS[i % 5]] for i in range(1000)]}).json()
    assert [as_scores(ranked) for ranked in answer] == command.scores(TEXTS) * 200


def test_raw_scores_are_logits(post, command):
    answer = post("predict", {"inputs": [[text] for text in TEXTS], "raw_scores": True}).json()
    assert [as_scores(ranked) for ranked in answer] == command.logits(TEXTS)


def test_a_long_text_is_truncated_at_the_side_that_is_asked_for(post, command):
    right = post("predict", {"inputs": LONG, "truncate": True})
    assert as_scores(right.json()) == command.scores([LONG])[0]
    assert right.json()[0]["label"] == "Business"
    left = post("predict", {"inputs": LONG, "truncate": True, "truncation_direction": "Left"}).json()
    assert as_scores(left) != as_scores(right.json())
    refused = post("predict", {"inputs": LONG, "truncate": False})
    assert (refused.status_code, refused.json()["error_type"]) == (413, "too_large")


def test_tokens_are_those_of_the_command(post):
    tokens = post("tokenize", {"inputs": TEXTS[:2]}).json()
    for text, found in zip(TEXTS, tokens):
        assert (found[0]["text"], found[-1]["text"]) == ("[CLS]", "[SEP]")
        assert all(token["special"] and token["start"] is None for token in (found[0], found[-1]))
        inner = found[1:-1]
        assert "".join(token["text"] for token in inner).replace("\u2581", " ").strip() == text.lower()
        assert all(text[token["start"] : token["stop"]].strip().lower() == token["text"].strip("\u2581") for token in inner)
    plain = post("tokenize", {"inputs": TEXTS[0], "add_special_tokens": False}).json()
    assert plain[0] == tokens[0][1:-1]


def test_the_service_describes_itself(service):
    info = requests.get(f"{service.url}info").json()
    assert info["model_type"]["classifier"]["id2label"] == {str(i): label for i, label in enumerate(LABELS)}
    assert info["model_type"]["classifier"]["label2id"] == {label: i for i, label in enumerate(LABELS)}
    assert (info["model_id"], info["model_dtype"], info["max_input_length"]) == ("ag_news", "f32", 512)
    for path in ("health", "ping"):
        answer = requests.get(f"{service.url}{path}")
        assert (answer.status_code, answer.content) == (200, b"")


def test_metrics_count_under_teis_names(service, post):
    def metric(name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", requests.get(f"{service.url}metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    names = ['te_request_count{method="batch"}', 'te_request_success{method="batch"}', "te_request_duration_count"]
    names += ["te_request_inference_duration_count", "te_request_tokenization_duration_count"]
    names += ["te_request_queue_duration_count", "te_request_input_length_count", 'te_request_failure{err="validation"}']
    before = {name: metric(name) for name in names}
    post("predict", {"inputs": [["a"], ["b"], ["c"]]})
    post("predict", {"inputs": 3})
    grown = {name: metric(name) - before[name] for name in names}
    assert grown == {name: 1 for name in names} | {"te_request_input_length_count": 3}
    assert metric("te_queue_size") == 0
    assert metric("te_batch_next_tokens_count") > 0
