"""The classification API of vLLM and SGLang, through `requests` and the client of OpenAI."""

import openai
import pytest
import requests
from expected import LABELS, TEXTS


@pytest.fixture
def client(service):
    return openai.OpenAI(base_url=f"{service.url}v1", api_key="none", max_retries=0)


def assert_classes(answer, texts, command):
    assert (answer["object"], answer["model"]) == ("list", "ag_news")
    assert [item["index"] for item in answer["data"]] == list(range(len(texts)))
    assert [item["label"] for item in answer["data"]] == command.labels(texts)
    assert [dict(zip(LABELS, item["probs"])) for item in answer["data"]] == command.scores(texts)
    assert all(item["num_classes"] == len(LABELS) for item in answer["data"])
    usage = answer["usage"]
    assert usage["prompt_tokens"] == usage["total_tokens"] > len(texts) and usage["completion_tokens"] == 0


@pytest.mark.parametrize("path", ["classify", "v1/classify"])
@pytest.mark.parametrize("given", [TEXTS[0], TEXTS], ids=["one", "many"])
def test_texts_have_the_classes_of_the_command(service, command, path, given):
    answer = requests.post(f"{service.url}{path}", json={"model": "ag_news", "input": given})
    assert_classes(answer.json(), TEXTS[:1] if given is TEXTS[0] else TEXTS, command)
    assert answer.json()["id"] == f"classify-{answer.headers['x-request-id']}"


def test_vllms_own_options_are_taken(service, command):
    body = {"model": "ag_news", "input": TEXTS[0], "use_activation": False, "user": "me", "priority": 1}
    (found,) = requests.post(f"{service.url}classify", json=body).json()["data"]
    assert dict(zip(LABELS, found["probs"])) == command.logits(TEXTS[:1])[0]


def test_openais_client_posts_it(client, command):
    answer = client.post("/classify", body={"model": "ag_news", "input": TEXTS}, cast_to=object)
    assert_classes(answer, TEXTS, command)


def test_openais_client_lists_the_models(client):
    assert [(model.id, model.owned_by) for model in client.models.list()] == [("ag_news", "albertine")]
    assert client.models.retrieve("ag_news").id == "ag_news"


def test_openais_client_reads_the_errors(client):
    with pytest.raises(openai.NotFoundError) as error:
        client.post("/classify", body={"model": "none", "input": "a"}, cast_to=object)
    assert (error.value.type, error.value.code) == ("not_found", 404) or error.value.body["code"] == 404
    assert "there is no model `none`" in error.value.message
    assert error.value.request_id == error.value.body["request_id"]
    with pytest.raises(openai.BadRequestError, match="unknown field `inptu`"):
        client.post("/classify", body={"inptu": "a"}, cast_to=object)
