"""What a service must bear from outside, as a process of its own: connections, keys, clients that go, and its log."""

import json
import resource
import socket
import time
import uuid

import openai
import pytest
import requests
from expected import TEXTS
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from service import Service

CONNECTIONS = 1000
# What is in none of the service's own words.
SECRET = "quicksilver"


@pytest.fixture(autouse=True)
def many_files():
    """This side of the connections needs descriptors as well."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * CONNECTIONS + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_closed(connection):
    """Whether the service has ended a connection, without waiting for it."""
    connection.setblocking(False)
    try:
        while connection.recv(1 << 16):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def closed_within(connections, seconds):
    deadline = time.monotonic() + seconds
    left = connections
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [connection for connection in left if not is_closed(connection)]
    return not left


def connect(service, start=b""):
    connection = socket.create_connection(("127.0.0.1", service.port))
    connection.sendall(start)
    return connection


def test_a_thousand_connections_that_are_left_hold_up_nobody():
    # Started as a shell starts it, with a limit that is less than the connections.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    with Service("--idle-timeout", "2") as service:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * CONNECTIONS + 500), hard))
        starts = [b"", b"POST / HTTP/1.1\r\nhost: a\r\n", b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n{"]
        connections = [connect(service, starts[i % 3]) for i in range(CONNECTIONS)]
        before = time.monotonic()
        answer = requests.post(service.url, json={"inputs": TEXTS[0]}, timeout=5)
        assert answer.json()[0]["label"] == "Business"
        assert time.monotonic() - before < 1
        assert closed_within(connections, 15)
        assert requests.get(f"{service.url}health").status_code == 200
    assert not any("cannot accept" in line for line in service.log)


def test_more_connections_than_there_may_be_wait_for_those_before_them():
    with Service("--idle-timeout", "1", "--max-connections", "10") as service:
        connections = [connect(service) for _ in range(50)]
        answer = requests.get(f"{service.url}health", timeout=30)
        assert answer.status_code == 200
        assert closed_within(connections, 15)


def test_clients_that_hang_up_leave_no_work_behind():
    with Service() as service:
        body = json.dumps({"inputs": [f"{TEXTS[0]} {i}" for i in range(3000)]}).encode()
        for _ in range(5):
            connect(service, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)).close()
        for length in (len(body), len(body) + 1):
            connect(service, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%b" % (length, body[:50])).close()
        deadline = time.monotonic() + 10
        while " 499 " not in "".join(service.log).replace("status=499", " 499 ") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert sum("status=499" in line for line in service.log) >= 1
        answer = requests.post(service.url, json={"inputs": TEXTS[0]}, timeout=5)
        assert answer.json()[0]["label"] == "Business"
        assert "te_queue_size 0" in requests.get(f"{service.url}metrics").text


def test_a_wrong_key_is_refused_by_every_client():
    with Service(ALBERTINE_API_KEY="right") as service:
        assert InferenceClient(service.url, token="right").text_classification(TEXTS[0])[0].label == "Business"
        with pytest.raises(HfHubHTTPError) as error:
            InferenceClient(service.url, token="wrong").text_classification(TEXTS[0])
        assert error.value.response.status_code == 401
        right, wrong = (openai.OpenAI(base_url=f"{service.url}v1", api_key=key) for key in ("right", "wrong"))
        body = {"input": TEXTS[0]}
        assert right.post("/classify", body=body, cast_to=object)["data"][0]["label"] == "Business"
        with pytest.raises(openai.AuthenticationError, match="the API key is missing or wrong"):
            wrong.post("/classify", body=body, cast_to=object)
        answer = requests.post(f"{service.url}predict", json={"inputs": "a"}, headers={"Authorization": "Basic right"})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_no_text_is_in_the_log(tmp_path):
    flags = ["--log-format", "json", "--idle-timeout", "1", "--corrections", str(tmp_path / "corrections.csv")]
    with Service(*flags, ALBERTINE_LOG="trace", ALBERTINE_API_KEY=SECRET) as service:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {SECRET}"
        post = lambda path, **options: session.post(f"{service.url}{path}", **options)
        assert post("", json={"inputs": SECRET}).ok
        assert post("v1/explain", json={"text": f"{SECRET} {SECRET}"}).ok
        assert post("v1/corrections", json={"text": SECRET, "label": "World"}).ok
        sent = post("v1/files", params={"name": f"{SECRET}.csv"}, data=f"text\n{SECRET}\n{SECRET}\n")
        while session.get(f"{service.url}v1/files/{sent.json()['id']}").json()["state"] == "running":
            time.sleep(0.01)
        broken = post("v1/files", params={"name": f"{SECRET}.jsonl"}, data=f'{{"text": "{SECRET}"')
        while session.get(f"{service.url}v1/files/{broken.json()['id']}").json()["state"] == "running":
            time.sleep(0.01)
        for path, body in [
            ("", f'{{"inputs": "{SECRET}"'),
            ("", f'{{"inputs": 3, "{SECRET}": 3}}'),
            ("predict", f'{{"inputs": "a", "truncation_direction": "{SECRET}"}}'),
            ("classify", f'{{"input": "a", "model": "{SECRET}"}}'),
            ("v2/models/ag_news/infer", f'{{"inputs": [{{"datatype": "{SECRET}"}}]}}'),
            (f"models/{SECRET}", '{"inputs": "a"}'),
            (SECRET, SECRET),
            ("v1/corrections", f'{{"text": "a", "label": "{SECRET}"}}'),
        ]:
            answer = post(path, data=body, headers={"x-request-id": str(uuid.uuid4())})
            assert answer.status_code in (400, 404), (path, answer.text)
        requests.post(service.url, json={"inputs": SECRET}, headers={"Authorization": f"Bearer not {SECRET}"})
        for start in [
            f"GET /{SECRET} HTTP/1.1\r\nhost: a\r\n{SECRET}\r\n\r\n",
            f"{SECRET}\r\n\r\n",
            f"POST /{SECRET} HTTP/1.1\r\nhost: {SECRET}\r\nx: {SECRET}",
            f"POST / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {SECRET}\r\ncontent-length: 99\r\n\r\n{SECRET}",
        ]:
            connection = connect(service, start.encode())
            assert closed_within([connection], 10)
    log = "".join(service.log)
    assert SECRET not in log
    # each line is JSON, and each request has one with its id
    lines = [json.loads(line) for line in service.log if line.startswith("{")]
    assert sum("request_id" in line for line in lines) > 15
    assert all({"method", "route", "status", "milliseconds", "failure"} <= line.keys() for line in lines if "request_id" in line)
