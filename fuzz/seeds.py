#!/usr/bin/env python3
"""Writes seeds for every fuzz target into `fuzz/seeds/TARGET`, from the fixtures of this repository.

Bytes that are changed at random almost never open a checked format, so that each target begins with whole files. They are small, since a
fuzzer changes a small file more often a second: models are cut down to a few tensors, and of long lists of texts every so many are taken.

    python3 fuzz/seeds.py [TARGET ...]

Only the Python standard library is needed. Tables in Parquet are written when `pyarrow` is installed, and left out with a note otherwise.
"""

import bz2
import gzip
import hashlib
import io
import json
import pickletools
import re
import shutil
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTDATA = ROOT / "testdata"
SEEDS = ROOT / "fuzz" / "seeds"


def sized(data: bytes, rest: bytes) -> bytes:
    """`data` and then `rest`, as `arbitrary` 1.x takes them apart: the size of `data` is at the end, in as many bytes as could be needed."""
    for width in (1, 2, 4):
        total = len(data) + len(rest) + width
        if total <= (1 << 8 * width) + width - 1 or width == 4:
            # only the bytes that the largest size would need are looked at
            looked_at = max(1, ((total - width).bit_length() + 7) // 8)
            return data + rest + len(data).to_bytes(looked_at, "big") + bytes(width - looked_at)
    raise AssertionError


def optional(data: bytes | None, rest: bytes) -> bytes:
    return b"\x00" + rest if data is None else b"\x01" + sized(data, rest)


def lines(path: str) -> list:
    return [json.loads(line) for line in (TESTDATA / path).read_text().split("\n") if line]


def some(items: list, count: int) -> list:
    """At most `count` of the items, from all over the list."""
    return items[:: max(1, -(-len(items) // count))]


def archive(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


def tar(files: dict[str, bytes], mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tarfile.PAX_FORMAT) as made:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def safetensors(tensors: dict[str, tuple[str, list[int], bytes]], metadata: dict | None = None) -> bytes:
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (kind, shape, values) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data


def first_tensors(path: Path, count: int) -> bytes:
    """A file of the smallest tensors of another one."""
    whole = path.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    header, data = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    header.pop("__metadata__", None)
    smallest = sorted(header.items(), key=lambda item: item[1]["data_offsets"][1] - item[1]["data_offsets"][0])[:count]
    return safetensors({name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])]) for name, t in smallest}, {"format": "pt"})


def fixtures(pattern: str) -> list[bytes]:
    """The contents of files, each once."""
    found = {hashlib.sha256(data).digest(): data for data in (path.read_bytes() for path in sorted(TESTDATA.glob(pattern)) if path.is_file())}
    return list(found.values())


def of_archive(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(TESTDATA / path) as opened:
        return {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}


class Stream(io.RawIOBase):
    """What cannot be written again."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def archives():
    small = {"config.json": (TESTDATA / "golden/f16/config.json").read_bytes(), "model.safetensors": first_tensors(TESTDATA / "golden/f16/model.safetensors", 4)}
    in_folder = {f"model/{name}": data for name, data in small.items()}
    stage = TESTDATA / "spark_nlp/models/tokenizers/patterns"
    saved = {str(path.relative_to(stage)): path.read_bytes() for path in sorted(stage.rglob("*")) if path.is_file()}
    for files in (small, in_folder, saved):
        yield archive(files)
        yield archive(files, zipfile.ZIP_DEFLATED)
        yield tar(files, "w")
        yield tar(files, "w:gz")
    yield archive({"../a": b"a", "/b": b"b", "c\\d": b"c", "e/": b""})
    # as a program that cannot go back writes it, with sizes behind the data
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", small["config.json"])
    yield stream.data


def checkpoints():
    labels = b"World\nSports\nBusiness\n"
    for path in ("onnx/f16/model.onnx", "onnx/typed/model.onnx"):
        yield sized((TESTDATA / path).read_bytes(), sized(b"", labels))
    for path in ("tensorflow/bert_module.zip", "spark_nlp/models/tensorflow_module.zip"):
        files = of_archive(path)
        graph, names, values = (
            next((data for name, data in files.items() if name.endswith(ending)), b"")
            for ending in ("saved_model.pb", "variables.index", ".data-00000-of-00001")
        )
        yield sized(graph, sized(names, values))
    stage = TESTDATA / "spark_nlp/models/annotator_onnx"
    parts = [(stage / name).read_bytes() for name in ("metadata/part-00000", "albert_classification_onnx", "fields/labels/part-00001")]
    yield sized(parts[0], sized(parts[1], parts[2]))
    # what the wire format of protocol buffers looks like, without a model
    yield sized(b"\x08\x07\x12\x07pytorch\x3a\x10\x0a\x0e\x0a\x01a\x12\x01b\x22\x06Linear", sized(b"", labels))


def connections():
    body = b'{"inputs":"Oil prices rose on Monday"}'
    post = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    yield post
    yield post + post
    for path in (b"/health", b"/v1/models", b"/metrics", b"/openapi.json", b"/info", b"/v2", b"/v2/models/ag_news", b"/v2/health/ready", b"/nowhere", b"/%2e%2e"):
        yield b"GET " + path + b" HTTP/1.1\r\nhost: a\r\n\r\n"
    yield b"HEAD /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    yield b"GET /health HTTP/1.0\r\n\r\n"
    yield b"OPTIONS / HTTP/1.1\r\nhost: a\r\norigin: https://example.org\r\naccess-control-request-method: POST\r\n\r\n"
    yield b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    yield b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    yield b"POST / HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"
    yield b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    table = b"text\nOil prices rose\n\"two\nlines\"\n"
    yield b"POST /v1/files?name=a.csv HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%s" % (len(table), table)
    boundary = b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n" + table + b"\r\n--x--\r\n"
    yield b"POST /v1/files HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: %d\r\n\r\n%s" % (len(boundary), boundary)
    yield b"\x16\x03\x01\x02\x00\x01\x00"
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def bodies():
    given = [
        {"inputs": "Oil prices rose on Monday"},
        {"inputs": ["Oil", "The striker scored", ""], "parameters": {"top_k": 2}},
        {"inputs": [["Oil", "Gas"]], "raw_scores": True, "truncate": True},
        {"texts": ["Oil prices rose"], "model": "ag_news"},
        {"model": "ag_news", "input": "Oil prices rose"},
        {"text": "Oil prices rose", "label": "Business", "model": "ag_news", "correction": "World"},
        {"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["Oil", "Gas"]}], "outputs": [{"name": "label"}]},
        {"id": "1", "inputs": [{"name": "text", "shape": [1, 1], "datatype": "BYTES", "data": [["Oil"]]}], "parameters": {"binary_data_output": True}},
        {"inputs": "a", "inputs ": 3},
    ]
    for route in range(9):
        for body in given:
            yield bytes([route]) + json.dumps(body).encode()
        yield bytes([route]) + b'{"inputs":"\\ud800"}'
        yield bytes([route]) + b"[[[[[[[["


def tensors():
    texts = b"".join(struct.pack("<I", len(text)) + text for text in (b"Oil prices rose", "é👍".encode()))
    described = {"name": "text", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(texts)}}
    for outputs in (None, [{"name": "label", "parameters": {"binary_data": True}}], [{"name": "score", "parameters": {"binary_data": True}}]):
        head = {"inputs": [described]} | ({"outputs": outputs} if outputs else {"parameters": {"binary_data_output": True}})
        # JSON that is given, no other length, and the tensors
        yield b"\xff\xff\xff\xff" + sized(json.dumps(head).encode(), b"\x00" + texts)


def tables():
    texts = [case["text"] for case in some(lines("spark_nlp/annotators.jsonl"), 20)]
    rows = [(number, text) for number, text in enumerate(texts)]
    quoted = [f'{number},"{text.replace(chr(34), chr(34) * 2)}"' for number, text in rows]
    csv = "\n".join(["id,text", *quoted[:8]]) + "\n"
    for data in (csv, csv.replace("\n", "\r\n"), "\ufeff" + csv, csv.replace(",", "\t"), csv.replace(",", ";"), 'a,b\n1\n"x\n', ""):
        yield data.encode()
    yield csv.encode("utf-16")
    yield "text\nl'été à Zürich\n".encode("latin-1")
    yield b"\n".join(json.dumps({"id": number, "text": text}).encode() for number, text in rows[:6])
    yield b'{"a":1,"b":{"c":[1,2.5,null],"d":true}}\n{"a":"x"}\n\n{"a":1e400}\n{"b":[]}\n'
    yield "\n".join(text for text in texts[:6]).encode()
    for pack in (gzip.compress, bz2.compress):
        yield pack(csv.encode())
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        print("source: no tables in Parquet, because pyarrow is not installed", file=sys.stderr)
        return
    import datetime
    import decimal

    table = pyarrow.table(
        {
            "id": pyarrow.array([1, 2, None], pyarrow.int32()),
            "text": ["Oil", None, "é👍"],
            "kind": pyarrow.array(["a", "b", "a"]).dictionary_encode(),
            "list": [[1, 2], None, []],
            "pair": [{"x": 1.5, "y": True}, None, {"x": None, "y": False}],
            "map": pyarrow.array([[("k", 1)], [], None], pyarrow.map_(pyarrow.string(), pyarrow.int64())),
            "time": pyarrow.array([datetime.datetime(2024, 1, 2), None, datetime.datetime(1, 1, 1)], pyarrow.timestamp("us", "UTC")),
            "sum": pyarrow.array([decimal.Decimal("1.50"), None, decimal.Decimal("-2.25")], pyarrow.decimal128(9, 2)),
            "bytes": pyarrow.array([b"\xff", b"", None], pyarrow.binary()),
        }
    )
    for columns in (["text"], ["id", "text"], ["kind", "list"], table.column_names):
        for compression in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
            if compression != "none" and columns != ["id", "text"]:
                continue
            for version in ("1.0", "2.0"):
                buffer = io.BytesIO()
                options = {"compression": compression, "data_page_version": version, "store_schema": columns != ["text"]}
                parquet.write_table(table.select(columns), buffer, **options)
                yield buffer.getvalue()


def patterns():
    cases = [case for case in lines("java_regex/cases.jsonl") if "pattern" in case]
    for case in some(cases, 250):
        yield case["pattern"].encode("utf-8", "surrogatepass") + "\0Hello, world! It's 5:30p.m. é\r\nabc".encode()
        yield case["pattern"].encode("utf-8", "surrogatepass")


def texts():
    for case in some(lines("spark_nlp/annotators.jsonl"), 150):
        yield case["text"].encode("utf-8", "replace")


def spark_fields():
    for data in fixtures("spark_nlp/models/**/fields/*/part-*"):
        yield data
        at = data.find(b"\xac\xed\x00\x05")
        if at >= 0:
            yield data[at:]
    with_fields = [f"spark_nlp/models/{path.name}" for path in sorted((TESTDATA / "spark_nlp/models").glob("*pipeline*.zip"))]
    for path in with_fields:
        for name, data in of_archive(path).items():
            if re.search(r"/part-\d+$", name) and len(data) < 20_000:
                yield data
                at = data.find(b"\xac\xed\x00\x05")
                if at >= 0:
                    yield data[at:]


def tokenizers(vocabulary: str):
    text = "Any text, 1,000 times: É \u0600a [CLS] 👍🏽".encode()
    for path in sorted(TESTDATA.glob(f"**/{vocabulary}")):
        data, config = path.read_bytes(), path.parent / "tokenizer_config.json"
        if len(data) > 40_000:
            continue
        yield sized(data, optional(None, text))
        if config.is_file():
            yield sized(data, optional(config.read_bytes(), text))


def torch(legacy: bool):
    for path in sorted((TESTDATA / "torch").glob("*.bin")):
        data = path.read_bytes()
        if legacy != path.name.startswith("legacy_"):
            continue
        if legacy:
            # the target puts the magic number, the version and the byte order before it
            stream = io.BytesIO(data)
            for _ in range(3):
                for _ in pickletools.genops(stream):
                    pass
            data = data[stream.tell() :]
        yield data


def weights():
    yield safetensors({})
    yield safetensors({"a": ("F32", [2, 1], bytes(8)), "b": ("F16", [3], bytes(6)), "c": ("BF16", [], bytes(2)), "d": ("I64", [0], b"")}, {"format": "pt"})
    yield safetensors({"a": ("F64", [1], bytes(8)), "b": ("BOOL", [1], b"\x01"), "c": ("U8", [2], b"ab")})
    for name in ("f16", "bf16", "gelu", "bert_cased"):
        yield first_tensors(TESTDATA / f"golden/{name}/model.safetensors", 6)


def index():
    known = (ROOT / "crates/hub/src/index.jsonl").read_bytes()
    yield known
    yield known.splitlines()[0]
    yield known.replace(b"ClassifierDL", b"Other").replace(b"en", b"")


TARGETS = {
    "archive": archives,
    "checkpoint": checkpoints,
    "config": lambda: fixtures("**/config.json"),
    "http_bodies": bodies,
    "http_connection": connections,
    "http_tensors": tensors,
    "index": index,
    "pattern": patterns,
    # it changes a run that it has made itself
    "resume": lambda: [],
    "safetensors": weights,
    "sentences": texts,
    "source": tables,
    "spark_fields": spark_fields,
    "tables": tables,
    "spiece": lambda: [data for data in fixtures("**/spiece.model") if len(data) < 40_000],
    "tokenizer_json": lambda: tokenizers("tokenizer.json"),
    "torch_legacy": lambda: torch(True),
    "torch_zip": lambda: torch(False),
    "vocab_txt": lambda: tokenizers("vocab.txt"),
}


def main(targets: list[str]) -> None:
    for target in targets or sorted(TARGETS):
        folder = SEEDS / target
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        seeds = {hashlib.sha256(seed).hexdigest()[:16]: seed for seed in TARGETS[target]()}
        for name, seed in seeds.items():
            (folder / name).write_bytes(seed)
        print(f"{target}: {len(seeds)} seeds, {sum(map(len, seeds.values())):,} bytes, the largest {max(map(len, seeds.values()), default=0):,}")


if __name__ == "__main__":
    main(sys.argv[1:])
