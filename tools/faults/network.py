"""Servers on the loopback interface that die, stall, lie and send something else."""

from __future__ import annotations

import socket
import struct
import threading
import time
from pathlib import Path

from harness import TESTDATA, Campaign, Row, run

NAME = "albert_base_sequence_classifier_ag_news"
ARCHIVE = "albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip"
PUBLISHED = "spark_nlp/models/albert_tiny_sequence_classifier_news_en_3.4.4_3.0_1700000000000.zip"


class Server:
    """Serves files over HTTP/1.1; `fault` is what it does wrong, for the first `times` requests."""

    def __init__(self, files: dict[str, bytes], fault: str = "", times: int = 1 << 30, at: float = 0.5) -> None:
        self.files, self.fault, self.times, self.at = files, fault, times, at
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.listen, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def listen(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(client,), daemon=True).start()

    def answer(self, client: socket.socket) -> None:
        with client:
            try:
                self.send(client)
            except OSError:
                pass

    def send(self, client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            more = client.recv(65536)
            if not more:
                return
            request += more
        head = request.decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        with self.lock:
            fault, self.times = (self.fault, self.times - 1) if self.times > 0 else ("", 0)
        body = self.files.get(path.split("?")[0])
        status, more = "200 OK", 'etag: "1"\r\naccept-ranges: bytes\r\n'
        if body is None:
            status, body = "404 Not Found", b"nothing here"
        elif (start := headers.get("range", "").removeprefix("bytes=").split("-")[0]).isdigit() and not fault:
            first = int(start)
            last = headers["range"].split("-")[1]
            end = min(int(last) + 1, len(body)) if last.isdigit() else len(body)
            status, more = "206 Partial Content", more + f"content-range: bytes {first}-{end - 1}/{len(body)}\r\n"
            body = body[first:end]
        if fault == "is not HTTP":
            client.sendall(b"220 mail.example ESMTP\r\n")
            return
        if fault == "hangs up at once":
            return
        if fault == "fails (500)":
            status, body = "500 Internal Server Error", b"out of order"
        if fault == "is busy (503)":
            status, body, more = "503 Service Unavailable", b"", "retry-after: 0\r\n"
        if fault == "has lost the file (404)":
            status, body = "404 Not Found", b""
        if fault == "redirects in a circle":
            status, body, more = "302 Found", b"", f"location: {path}\r\n"
        if fault == "sends a web page":
            body, more = b"<!DOCTYPE html><html><body>Log in to the network</body></html>", "content-type: text/html\r\n"
        if fault == "sends nothing":
            body = b""
        length, sent = len(body), body
        if fault == "claims too many bytes":
            length += 1000
        if fault == "claims too few bytes":
            length = int(length * self.at)
        if fault in ("dies in the middle", "resets in the middle"):
            sent = body[: int(len(body) * self.at)]
        client.sendall(f"HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n".encode())
        if method == "HEAD":
            return
        if fault == "is slow":
            step = max(1, len(sent) // 20)
            for start in range(0, len(sent), step):
                client.sendall(sent[start : start + step])
                time.sleep(0.02)
            return
        client.sendall(sent)
        if fault == "resets in the middle":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


HARMLESS = ["is slow"]
# Errors after which the same request may well succeed.
PASSING = ["dies in the middle", "resets in the middle", "claims too many bytes", "hangs up at once", "fails (500)", "is busy (503)"]
OTHERS = ["claims too few bytes", "has lost the file (404)", "redirects in a circle", "sends a web page", "sends nothing", "is not HTTP"]


def bad_servers(campaign: Campaign, runs: int) -> None:
    model = {f"/org/repo/resolve/main/{path.name}": path.read_bytes() for path in (TESTDATA / "golden/gelu_new").iterdir()}
    published = {f"/{ARCHIVE}": (TESTDATA / PUBLISHED).read_bytes()}
    table = {"/news.csv": b"".join(path.read_bytes() for path in sorted((campaign.place / "in").iterdir()))}
    for what, files, name in (("`models pull` of a repository", model, "org/repo"), ("`models pull` of an archive", published, NAME)):
        with Server(files) as server:
            expected = pulled(campaign, server, name, campaign.clear("cache"))[1]
        for fault in HARMLESS + PASSING + OTHERS:
            for times in (1, 1 << 30):
                cache = campaign.clear("cache")
                with Server(files, fault, times, campaign.chance.random()) as server:
                    pull(campaign, campaign.row(f"a server {fault}", what), server, name, cache, fault in HARMLESS or (times == 1 and fault in PASSING))
                with Server(files) as server:
                    check(campaign.row(f"a server {fault}", what), pulled(campaign, server, name, cache), expected)
    with Server(table) as server:
        expected = labels(campaign, server)[1]
    for fault in HARMLESS + PASSING + OTHERS:
        for times in (1, 1 << 30):
            row = campaign.row(f"a server {fault}", "`classify` of a URL")
            with Server(table, fault, times, campaign.chance.random()) as server:
                ended, output = labels(campaign, server)
            well = campaign.ended(row, ended, fault)
            whole = output == (expected if well else None)
            # What a server claims to be the whole is all that can be known.
            row.whole += whole or fault in ("claims too few bytes", "sends nothing")
            if not whole and fault not in ("claims too few bytes", "sends nothing"):
                row.wrong.append(f"{fault}: exit code {ended.code}, an output of {output and len(output)} bytes: {ended.said}")
            if not well and (fault in HARMLESS or (times == 1 and fault in PASSING)):
                row.wrong.append(f"{fault}: {ended.said}")


def environment(server: Server, cache: Path) -> dict[str, str]:
    return {"ALBERTINE_HUB": server.url, "HF_ENDPOINT": server.url, "ALBERTINE_CACHE": str(cache), "NO_PROXY": "127.0.0.1"}


def pull(campaign: Campaign, row: Row, server: Server, name: str, cache: Path, must: bool) -> None:
    ended = run([str(campaign.albertine), "models", "pull", name, "--quiet"], env=environment(server, cache))
    well = campaign.ended(row, ended, name)
    if must and not well:
        row.wrong.append(f"{name}: {ended.said}")
    row.to_repair += 1
    row.whole += 1


def pulled(campaign: Campaign, server: Server, name: str, cache: Path) -> tuple[str, bytes]:
    """What a text is labeled by the model, which is fetched if it is not there."""
    output = cache.with_suffix(".csv")
    output.unlink(missing_ok=True)
    words = ["classify", "--model", name, "--input", str(campaign.place / "in/1.csv"), "--errors", "null", "--output", str(output), "--quiet"]
    ended = run([str(campaign.albertine), *words], env=environment(server, cache))
    return ended.said, output.read_bytes() if output.exists() else b""


def check(row: Row, found: tuple[str, bytes], expected: bytes) -> None:
    row.repaired += found[1] == expected
    if found[1] != expected:
        row.wrong.append(f"from a good server afterwards: {found[0]}")


def labels(campaign: Campaign, server: Server):
    output = campaign.clear("out") / "labels.csv"
    words = ["classify", "--model", str(campaign.place / "model"), "--input", f"{server.url}/news.csv", "--errors", "null", "--output", str(output)]
    ended = run([str(campaign.albertine), *words, "--quiet"], env=environment(server, campaign.place))
    # The error of a row names its file.
    return ended, output.read_bytes().replace(server.url.encode(), b"server") if output.exists() else None
