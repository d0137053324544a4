"""Writes ONNX models that keep their numbers in other ways than exporters do into testdata/onnx.

    python tools/golden/onnx_files.py

They are the model of testdata/spark_nlp/models/onnx with its weights in f16, and with its numbers one by one (`float_data`, `int64_data`).
"""

import pathlib

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "testdata" / "spark_nlp" / "models" / "onnx" / "model.onnx"
TARGET = ROOT / "testdata" / "onnx"


def half(model):
    """Weights in f16, each with a cast before it is used."""
    casts = []
    for tensor in list(model.graph.initializer):
        numbers = numpy_helper.to_array(tensor)
        if numbers.dtype == numpy.float32:
            model.graph.initializer.remove(tensor)
            name = f"{tensor.name}_f16"
            model.graph.initializer.append(numpy_helper.from_array(numbers.astype(numpy.float16), name))
            casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    return model


def typed(model):
    """Numbers one by one instead of as bytes."""
    for tensor in model.graph.initializer:
        numbers = numpy_helper.to_array(tensor).reshape(-1).tolist()
        if tensor.data_type == TensorProto.FLOAT:
            tensor.ClearField("raw_data")
            tensor.float_data.extend(numbers)
        elif tensor.data_type == TensorProto.INT64:
            tensor.ClearField("raw_data")
            tensor.int64_data.extend(numbers)
    return model


def main():
    for name, change in [("f16", half), ("typed", typed)]:
        directory = TARGET / name
        directory.mkdir(parents=True, exist_ok=True)
        onnx.save(change(onnx.load(SOURCE)), directory / "model.onnx")


if __name__ == "__main__":
    main()
