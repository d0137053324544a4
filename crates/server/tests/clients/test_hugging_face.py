"""Hugging Face inference: `huggingface_hub`, and `requests` as the documentation of the hosted service has it."""

import pytest
import requests
from expected import LABELS, TEXTS, as_scores
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


@pytest.fixture
def client(service):
    return InferenceClient(service.url)


def scores(elements):
    return {element.label: element.score for element in elements}


def test_a_text_has_the_scores_of_the_command(client, command):
    for text, expected in zip(TEXTS, command.scores(TEXTS)):
        found = client.text_classification(text)
        assert scores(found) == expected
        assert [element.label for element in found] == sorted(expected, key=expected.get, reverse=True)


def test_the_client_takes_the_best_labels(client, command):
    (expected,) = command.scores(TEXTS[:1])
    found = client.text_classification(TEXTS[0], top_k=2)
    assert scores(found) == dict(sorted(expected.items(), key=lambda item: -item[1])[:2])
    assert len(client.text_classification(TEXTS[0], top_k=1000)) == len(LABELS)


def test_the_client_chooses_the_function(client, command):
    of = lambda function: scores(client.text_classification(TEXTS[1], function_to_apply=function))
    assert of("softmax") == command.scores(TEXTS[1:2])[0]
    assert of("sigmoid") == command.scores(TEXTS[1:2], "--activation", "sigmoid")[0]
    assert of("none") == command.logits(TEXTS[1:2])[0]


def test_the_client_asks_for_a_model_by_its_url(service, command):
    client = InferenceClient(f"{service.url}models/ag_news")
    assert scores(client.text_classification(TEXTS[0])) == command.scores(TEXTS[:1])[0]


def test_the_client_is_told_what_is_wrong(service):
    with pytest.raises(HfHubHTTPError) as error:
        InferenceClient(f"{service.url}models/none").text_classification("a")
    assert error.value.response.status_code == 404
    assert "there is no model `none`; there are `ag_news`" in error.value.response.json()["error"]


def test_a_single_text_is_a_list_for_those_that_ask_as_pipelines_do(service, command):
    answer = requests.post(service.url, json={"inputs": TEXTS[0]})
    assert as_scores(answer.json()) == command.scores(TEXTS[:1])[0]


def test_several_texts_are_a_list_of_lists(service, command):
    for url in (service.url, f"{service.url}models/ag_news"):
        body = {"inputs": TEXTS, "parameters": {"top_k": None, "function_to_apply": "softmax"}}
        answer = requests.post(url, json=body | {"options": {"wait_for_model": True, "use_cache": False}})
        assert [as_scores(ranked) for ranked in answer.json()] == command.scores(TEXTS)


def test_pairs_are_dictionaries(service):
    pair = {"text": TEXTS[0], "text_pair": TEXTS[1]}
    (alone,) = [requests.post(service.url, json={"inputs": pair}).json()]
    among = requests.post(service.url, json={"inputs": [TEXTS[0], pair]}).json()
    assert as_scores(alone) == as_scores(among[1]) != as_scores(among[0])
