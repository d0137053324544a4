"""Exports an ALBERT or BERT classifier as TensorFlow SavedModels.

usage: saved_model.py MODEL_DIR OUT_DIR

MODEL_DIR is a model directory, such as checkpoint.py makes. OUT_DIR gets tensorflow/, saved as Spark NLP's documentation does it, and
tensorflow_module/, the same network saved as a plain module, whose variables have other names in the checkpoint.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import tensorflow as tf
from transformers import AutoConfig, TFAlbertForSequenceClassification, TFBertForSequenceClassification

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
SIGNATURE = [{name: tf.TensorSpec((None, None), tf.int32, name=name) for name in INPUTS}]


FAMILIES = {"albert": TFAlbertForSequenceClassification, "bert": TFBertForSequenceClassification}


def classifier(source: Path):
    """The classifier with the signature that Spark NLP asks for."""

    class Classifier(FAMILIES[AutoConfig.from_pretrained(source).model_type]):
        @tf.function(input_signature=SIGNATURE)
        def serving(self, inputs):
            return self.serving_output(self.call(inputs))

    return Classifier.from_pretrained(source)


def plain(model) -> tuple:
    """A module that has the variables and nothing else of Keras, and its signature."""
    module = tf.Module()
    module.kept = list(model.variables)
    specs = SIGNATURE[0]

    @tf.function(input_signature=[specs[name] for name in INPUTS])
    def logits(input_ids, attention_mask, token_type_ids):
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        return {"logits": model(inputs, training=False).logits}

    return module, logits


def assets(source: Path, out: Path, labels: list) -> None:
    out.mkdir(parents=True, exist_ok=True)
    vocabulary = next(source / name for name in ("spiece.model", "vocab.txt") if (source / name).exists())
    shutil.copy(vocabulary, out)
    (out / "labels.txt").write_text("\n".join(labels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    arguments = parser.parse_args()
    source, out = arguments.model.resolve(), arguments.out.resolve()
    model = classifier(source)
    model.config._name_or_path = ""  # else the path on this machine is saved too
    labels = [model.config.id2label[index] for index in range(model.config.num_labels)]
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch, saved_model=True, signatures={"serving_default": model.serving})
        shutil.rmtree(out / "tensorflow", ignore_errors=True)
        shutil.copytree(Path(scratch) / "saved_model" / "1", out / "tensorflow")
    assets(source, out / "tensorflow" / "assets", labels)
    module, signature = plain(model)
    shutil.rmtree(out / "tensorflow_module", ignore_errors=True)
    tf.saved_model.save(module, str(out / "tensorflow_module"), signatures={"serving_default": signature})
    assets(source, out / "tensorflow_module" / "assets", labels)


if __name__ == "__main__":
    main()
