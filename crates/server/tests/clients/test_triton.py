"""The Open Inference Protocol, through Triton's client: tensors in JSON and in binary."""

import numpy as np
import pytest
import requests
import tritonclient.http as triton
from expected import LABELS, TEXTS
from tritonclient.utils import InferenceServerException


@pytest.fixture
def client(service):
    client = triton.InferenceServerClient(f"127.0.0.1:{service.port}")
    yield client
    client.close()


def infer(client, texts, binary_input, binary_output, **options):
    shape = options.pop("shape", [len(texts)])
    tensor = triton.InferInput("text", shape, "BYTES")
    array = np.array([text.encode() for text in texts], dtype=object).reshape(shape)
    tensor.set_data_from_numpy(array, binary_data=binary_input)
    outputs = [
        triton.InferRequestedOutput(name, binary_data=binary_output) for name in ("label", "score", "scores")
    ]
    return client.infer("ag_news", [tensor], outputs=outputs, **options)


@pytest.mark.parametrize("binary_input", [False, True], ids=["json in", "binary in"])
@pytest.mark.parametrize("binary_output", [False, True], ids=["json out", "binary out"])
@pytest.mark.parametrize("column", [False, True], ids=["flat", "column"])
def test_tensors_hold_the_scores_of_the_command(client, command, binary_input, binary_output, column):
    shape = [len(TEXTS), 1] if column else [len(TEXTS)]
    answer = infer(client, TEXTS, binary_input, binary_output, request_id="mine", shape=shape)
    labels = [label.decode() if isinstance(label, bytes) else label for label in answer.as_numpy("label")]
    assert labels == command.labels(TEXTS)
    expected = np.array([[row[label] for label in LABELS] for row in command.scores(TEXTS)], dtype=np.float32)
    np.testing.assert_array_equal(answer.as_numpy("scores"), expected)
    np.testing.assert_array_equal(answer.as_numpy("score"), expected.max(axis=1))
    assert (answer.get_response()["id"], answer.get_response()["model_name"]) == ("mine", "ag_news")


def test_all_outputs_come_where_none_is_asked_for(client, command):
    tensor = triton.InferInput("text", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([TEXTS[0].encode()], dtype=object))
    answer = client.infer("ag_news", [tensor], model_version="1")
    assert [output["name"] for output in answer.get_response()["outputs"]] == ["label", "score", "scores"]
    assert answer.as_numpy("score")[0] == np.float32(command.rows(TEXTS[:1])[0]["score"])


def test_many_requests_at_a_time_are_told_apart(service, command):
    with triton.InferenceServerClient(f"127.0.0.1:{service.port}", concurrency=8) as client:
        tensors = []
        for text in TEXTS * 8:
            tensor = triton.InferInput("text", [1], "BYTES")
            tensor.set_data_from_numpy(np.array([text.encode()], dtype=object))
            tensors.append(tensor)
        waiting = [client.async_infer("ag_news", [tensor]) for tensor in tensors]
        labels = [request.get_result().as_numpy("label")[0].decode() for request in waiting]
    assert labels == command.labels(TEXTS) * 8


def test_the_service_lives_and_is_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("ag_news") and client.is_model_ready("ag_news", "1")
    assert not client.is_model_ready("none") and not client.is_model_ready("ag_news", "2")


def test_the_service_and_its_model_are_described(client):
    server = client.get_server_metadata()
    assert (server["name"], server["extensions"]) == ("albertine", ["binary_tensor_data"])
    model = client.get_model_metadata("ag_news")
    assert (model["name"], model["versions"], model["platform"]) == ("ag_news", ["1"], "albertine")
    assert model["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert [(output["name"], output["datatype"], output["shape"]) for output in model["outputs"]] == [
        ("label", "BYTES", [-1]),
        ("score", "FP32", [-1]),
        ("scores", "FP32", [-1, len(LABELS)]),
    ]


def test_the_client_is_told_what_is_wrong(client):
    with pytest.raises(InferenceServerException, match="there is no model `none`"):
        client.get_model_metadata("none")
    number = triton.InferInput("text", [1], "FP32")
    number.set_data_from_numpy(np.array([1.0], dtype=np.float32))
    with pytest.raises(InferenceServerException, match="unknown variant `FP32`, expected `BYTES`"):
        client.infer("ag_news", [number])
    with pytest.raises(InferenceServerException, match="content encoding `gzip`"):
        infer(client, TEXTS, True, True, request_compression_algorithm="gzip")


def test_the_protocol_without_a_client(service, command):
    tensor = {"name": "text", "shape": [2], "datatype": "BYTES", "data": TEXTS[:2]}
    answer = requests.post(f"{service.url}v2/models/ag_news/infer", json={"inputs": [tensor]}).json()
    assert answer["outputs"][0] == {
        "name": "label",
        "shape": [2],
        "datatype": "BYTES",
        "data": command.labels(TEXTS[:2]),
    }
