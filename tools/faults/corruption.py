"""Models and tables with wrong bytes at random places, and cut short."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from harness import TESTDATA, WORDS, Campaign, run

# One of each format that a model comes in, and the files of it that are damaged.
MODELS = {
    "safetensors": ("golden/gelu_new", "model.safetensors"),
    "safetensors in shards": ("golden/sharded", "*.safetensors*"),
    "PyTorch": ("golden/pickle_only", "pytorch_model.bin"),
    "PyTorch before 1.6": ("golden/pickle_legacy", "pytorch_model.bin"),
    "config.json": ("golden/gelu_new", "config.json"),
    "tokenizer.json": ("golden/gelu_new", "tokenizer.json"),
    "spiece.model": ("golden/spiece_only", "spiece.model"),
    "vocab.txt": ("golden/bert_vocab_txt", "vocab.txt"),
    "ONNX": ("spark_nlp/models/onnx", "*"),
    "Spark NLP, a folder": ("spark_nlp/models/annotator_onnx", "*"),
    "Spark NLP, ONNX": ("spark_nlp/models/albert_tiny_sequence_classifier_news_en_5.5.3_3.0_1700000000000.zip", None),
    "Spark NLP, TensorFlow": ("spark_nlp/models/albert_tiny_sequence_classifier_news_en_3.4.4_3.0_1700000000000.zip", None),
    "Spark NLP, a pipeline": ("spark_nlp/models/albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip", None),
    "TensorFlow": ("tensorflow/bert.zip", None),
}
TABLES = ["csv", "tsv", "jsonl", "parquet", "csv.gz", "jsonl.zst"]


def damage(path: Path, chance: random.Random) -> str:
    """Changes a file and says how."""
    data = bytearray(path.read_bytes())
    at = chance.randrange(max(1, len(data)))
    # Half of all faults in the first bytes, where formats keep what they are.
    if chance.random() < 0.5:
        at = min(at, chance.randrange(256))
    kind = chance.choice(["a bit", "some bytes", "zeros", "cut", "cut out", "twice", "tail"])
    length = chance.randint(1, 64)
    if kind == "a bit" and data:
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "some bytes":
        data[at : at + length] = chance.randbytes(length)
    elif kind == "zeros":
        data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    elif kind == "cut":
        del data[at:]
    elif kind == "cut out":
        del data[at : at + length]
    elif kind == "twice":
        data[at:at] = data[at : at + 4096]
    elif kind == "tail":
        data += chance.randbytes(length)
    path.write_bytes(data)
    return f"{kind} at {at}"


def damaged_files(campaign: Campaign, runs: int) -> None:
    """Each kind of file many times, for a run takes little, and once as it is: it is read, or refused in words."""
    for kind, (source, pattern) in MODELS.items():
        row = campaign.row("wrong bytes in a model", kind)
        for number in range(5 * runs + 1):
            folder = campaign.clear("damaged")
            place = folder / Path(source).name
            if pattern is None:
                shutil.copy(TESTDATA / source, place)
                files = [place]
            else:
                shutil.copytree(TESTDATA / source, place)
                files = [path for path in sorted(place.rglob(pattern)) if path.is_file()]
            file = campaign.chance.choice(files)
            how = damage(file, campaign.chance) if number else "as it is"
            ended = run([str(campaign.albertine), "classify", "Oil prices rose", "--model", str(place), "--quiet"])
            campaign.ended(row, ended, f"{file.relative_to(folder)}, {how}")
            if number == 0 and ended.code != 0:
                row.wrong.append(f"{kind} as it is: {ended.said}")
            row.whole += 1
    damaged_tables(campaign, runs)


def damaged_tables(campaign: Campaign, runs: int) -> None:
    folder = campaign.clear("tables")
    rows = [" ".join(campaign.chance.choices(WORDS, k=8)) for _ in range(300)]
    (folder / "table.csv").write_text("\n".join(["text", *rows]) + "\n")
    words = [str(campaign.albertine), "classify", "--model", str(campaign.place / "model"), "--quiet"]
    for kind in TABLES[1:]:
        run([*words, "--input", str(folder / "table.csv"), "--output", str(folder / f"table.{kind}")])
    for kind in TABLES:
        row = campaign.row("wrong bytes in a table", kind)
        whole = (folder / f"table.{kind}").read_bytes()
        for _ in range(5 * runs):
            place = campaign.clear("damaged")
            (place / f"table.{kind}").write_bytes(whole)
            how = damage(place / f"table.{kind}", campaign.chance)
            output, rejects = place / "labels.csv", place / "rejects.csv"
            policy = campaign.chance.choice([[], ["--errors", "null"], ["--rejects", str(rejects)]])
            ended = run([*words, "--input", str(place / f"table.{kind}"), "--output", str(output), *policy])
            well = campaign.ended(row, ended, f"table.{kind}, {how}")
            left = sorted(path.name for path in place.iterdir())
            expected = [*(["labels.csv"] if well else []), *(["rejects.csv"] if well and rejects.exists() else []), f"table.{kind}"]
            if left == sorted(expected):
                row.whole += 1
            else:
                row.wrong.append(f"table.{kind}, {how}: exit code {ended.code}, and it left {left}; {ended.said}")
