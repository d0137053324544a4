"""Stages and pipelines: parameters, texts in hand, saving, copies."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import signal
import subprocess
from pathlib import Path
from typing import Any, Callable

import pyarrow as pa
import pytest

import albertine
from albertine import _albertine
from albertine import AlbertineError, ModelNotFound, ParamError, PipelineError
from albertine._ml import Param, Params, Transformer, TypeConverters
from albertine.annotation import Annotation
from albertine.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer, TokenizerModel
from albertine.base import (
    DocumentAssembler,
    Finisher,
    LightPipeline,
    Pipeline,
    PipelineModel,
    PretrainedPipeline,
    RecursivePipeline,
)

CLASSES = [DocumentAssembler, SentenceDetector, Tokenizer, TokenizerModel, AlbertForSequenceClassification, Finisher]
TABLE = pa.table({"text": ["Oil prices rose as OPEC cut output.", None, "The striker scored twice in the final."]})
LABELS = [["Business"], [], ["Sports"]]

#: A value for each parameter that it does not have unless it is set.
VALUES: dict[str, Any] = {
    "inputCol": "body",
    "outputCol": "found",
    "inputCols": ["read"],
    "idCol": "id",
    "metadataCol": "facts",
    "cleanupMode": "shrink",
    "useAbbreviations": False,
    "detectLists": False,
    "useCustomBoundsOnly": True,
    "customBounds": ["\n\n", ";"],
    "customBoundsStrategy": "append",
    "explodeSentences": True,
    "splitLength": 80,
    "minLength": 2,
    "maxLength": 300,
    "targetPattern": "[^_]+",
    "prefixPattern": "\\A([(]?)",
    "suffixPattern": "([)]?)\\z",
    "infixPatterns": ["(\\w+)(/)(\\w+)"],
    "contextChars": ["(", ")"],
    "splitPattern": "-",
    "splitChars": ["/"],
    "exceptions": ["New York"],
    "caseSensitiveExceptions": False,
    "outputCols": ["plain"],
    "outputAsArray": False,
    "includeMetadata": True,
    "cleanAnnotations": False,
    "valueSplitSymbol": "=",
    "annotationSplitSymbol": "|",
    "batchSize": 3,
    "maxSentenceLength": 77,
    "caseSensitive": True,
    "coalesceSentences": True,
    "activation": "sigmoid",
    "threshold": 0.25,
    "encoding": "token",
    "windowOverlap": 16,
    "precision": "int8",
    "multilabel": True,
    "lazyAnnotator": True,
    "configProtoBytes": [16, 1],
}
#: Parameters that only say what a saved stage was: nobody sets them.
SAVED = {"engine", "rules"}


def stage_of(cls: Any) -> Any:
    return cls.pretrained() if hasattr(cls, "pretrained") else cls()


def cases() -> list[Any]:
    return [
        pytest.param(cls, param.name, id=f"{cls.__name__}-{param.name}")
        for cls in CLASSES
        for param in cls().params
        if param.name not in SAVED
    ]


def capital(name: str) -> str:
    return name[0].upper() + name[1:]


def value_of(cls: Any, name: str) -> Any:
    return ["read", "too"] if (cls, name) == (AlbertForSequenceClassification, "inputCols") else VALUES[name]


# parameters


@pytest.mark.parametrize(("cls", "name"), cases())
def test_every_parameter_is_set_told_and_saved(cls: Any, name: str, tmp_path: Path) -> None:
    stage, value = stage_of(cls), value_of(cls, name)
    getter, setter = getattr(cls, f"get{capital(name)}"), getattr(cls, f"set{capital(name)}")
    assert getter(stage) != value, "the value is not the default"
    assert setter(stage, value) is stage
    assert getter(stage) == value and type(getter(stage)) is type(value)
    assert stage.getParamValue(name) == value and stage.getOrDefault(stage.getParam(name)) == value
    assert f"current: {value}" in stage.explainParam(name)
    assert stage.isSet(name) and stage.explainParam(name) in stage.explainParams()
    # by keyword, by name, in a copy
    assert getter(cls(**{name: value})) == value
    assert getter(stage_of(cls).setParamValue(name, value)) == value
    assert getter(stage.copy()) == value and stage.copy().uid == stage.uid
    # to the native half and back
    if name == "inputCols" and cls is Finisher:
        stage.setOutputCols(["plain"])
    if name == "outputCols":
        stage.setInputCols(["read"])
    if name not in ("precision", "multilabel", "lazyAnnotator", "configProtoBytes"):
        (_, params, _), *_ = _albertine.Pipeline([stage._spec()]).stages()
        assert json.loads(params)[name] == value
    else:
        _albertine.Pipeline([stage._spec()])
    # to disk and back: alone, and in a pipeline, which has fitted what is to be fitted
    alone = tmp_path / "alone"
    stage.save(str(alone))
    assert getter(cls.load(str(alone))) == value and cls.load(str(alone)).uid == stage.uid
    whole = tmp_path / "whole"
    fitted = PipelineModel([stage.fit(None) if cls is Tokenizer else stage])
    fitted.save(str(whole))
    again = PipelineModel.load(str(whole)).stages[0]
    assert isinstance(again, TokenizerModel if cls is Tokenizer else cls)
    assert getattr(again, f"get{capital(name)}")() == value


def test_no_parameter_is_without_getter_setter_and_a_word_on_it() -> None:
    for cls in CLASSES:
        names = {param.name for param in cls().params} - SAVED
        setters = {name[3].lower() + name[4:] for name in dir(cls) if name.startswith("set") and name != "set"}
        assert setters - {"paramValue", "exceptionsPath"} == names
        for name in names:
            for method in (f"get{capital(name)}", f"set{capital(name)}"):
                assert (getattr(cls, method).__doc__ or "").strip().endswith("."), f"{cls.__name__}.{method}"
            assert len(cls().getParam(name).doc) > 10


def test_defaults_are_spark_nlp_s() -> None:
    sequence = AlbertForSequenceClassification.pretrained()
    assert sequence.getMaxSentenceLength() == 128 and sequence.getBatchSize() == 8 and sequence.getThreshold() == 0.5
    assert (
        sequence.getActivation() == "softmax"
        and sequence.getMultilabel() is False
        and sequence.getCoalesceSentences() is False
    )
    assert sequence.getInputCols() == ["document", "token"] and sequence.getClasses() == [
        "World",
        "Sports",
        "Business",
        "Sci/Tech",
    ]
    assert sequence.getPrecision() == "f32" and sequence.getEncoding() == "document"
    assert DocumentAssembler().getCleanupMode() == "disabled" and DocumentAssembler().getIdCol() is None
    assert Tokenizer().getContextChars() == [".", ",", ";", ":", "!", "?", "*", "-", "(", ")", '"', "'"]
    assert SentenceDetector().getUseAbbreviations() is True and SentenceDetector().getMaxLength() is None
    assert Finisher().setInputCols("class", "token").getOutputCols() == ["finished_class", "finished_token"]
    assert "threshold: " in sequence.explainParams() and "(default: 0.5)" in sequence.explainParam("threshold")


def test_parameters_are_given_by_keyword_too() -> None:
    by_keyword = Tokenizer(inputCols=["document"], outputCol="token", exceptions=["New York"], minLength=1)
    by_setter = Tokenizer().setInputCols("document").setOutputCol("token").addException("New York").setMinLength(1)
    assert by_keyword._values() == by_setter._values()
    many = (
        Tokenizer().addContextChars(["%", "$"]).addSplitChars("/").addInfixPattern("(a)(b)").addInfixPattern("(c)(d)")
    )
    assert many.getContextChars()[-2:] == ["%", "$"] and many.getSplitChars() == ["/"]
    assert many.getInfixPatterns() == ["(c)(d)", "(a)(b)"]


def test_exceptions_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "exceptions.txt").write_text("New York\nOil Inc.\n", encoding="utf-8")
    for path in (tmp_path / "exceptions.txt", str(tmp_path / "exceptions.txt")):
        assert Tokenizer().setExceptionsPath(path, read_as="TEXT", options={}).getExceptions() == [
            "New York",
            "Oil Inc.",
        ]
    # as editors on Windows write it
    (tmp_path / "marked.txt").write_bytes("\ufeffNew York\r\n\r\nSan Jose\r\n".encode())
    document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    token = Tokenizer().setInputCols(["document"]).setOutputCol("token").setExceptionsPath(tmp_path / "marked.txt")
    for sensitive, last in ((True, ["SAN", "JOSE"]), (False, ["SAN JOSE"])):
        token.setCaseSensitiveExceptions(sensitive)
        light = LightPipeline(PipelineModel([document, token.fit(None)]))
        assert light.annotate("In New York and San Jose or SAN JOSE")["token"] == [
            "In",
            "New York",
            "and",
            "San Jose",
            "or",
            *last,
        ]
    with pytest.raises(ParamError, match="exceptionsPath: cannot read .*nowhere.txt"):
        Tokenizer().setExceptionsPath(tmp_path / "nowhere.txt")


def test_what_is_misspelt_is_told_with_what_was_meant() -> None:
    sequence = AlbertForSequenceClassification.pretrained()
    with pytest.raises(
        AttributeError,
        match="'AlbertForSequenceClassification' has no attribute 'setBatchsize'; did you mean 'setBatchSize'",
    ):
        sequence.setBatchsize(8)
    with pytest.raises(AttributeError, match="has no attribute 'frobnicate'$"):
        sequence.frobnicate()
    for make in (
        lambda: Tokenizer(contextChar=["a"]),
        lambda: Finisher(outputCol="a"),
        lambda: AlbertForSequenceClassification(batchsize=1),
    ):
        with pytest.raises(TypeError, match="has no parameter '.*'; did you mean '.*'"):
            make()
    with pytest.raises(AttributeError, match="did you mean 'cleanupMode'"):
        DocumentAssembler().setParamValue("cleanUpMode", "shrink")
    with pytest.raises(
        TypeError, match=r"a model comes by AlbertForSequenceClassification\.pretrained\(name\) or \.load\(path\)"
    ):
        AlbertForSequenceClassification("albert_base_sequence_classifier_ag_news")


WRONG_TYPES = {
    TypeConverters.toString: [3, True, b"a", ["a"]],
    TypeConverters.toBoolean: ["true", 1, []],
    TypeConverters.toInt: ["3", 1.5, True, float("nan"), [1]],
    TypeConverters.toFloat: ["0.5", True, float("nan"), float("inf"), [0.5]],
    TypeConverters.toListInt: [["a"], [1.5], 3, "ab"],
    TypeConverters.toListString: [[1], ["a", None], {"a": 1}, 3],
}


@pytest.mark.parametrize(("cls", "name"), cases())
def test_values_of_another_type_are_refused(cls: Any, name: str) -> None:
    stage = cls()
    param: Param[Any] = stage.getParam(name)
    for value in WRONG_TYPES[param.typeConverter]:
        with pytest.raises(TypeError, match=f'Invalid param value given for param "{name}". .* is not '):
            getattr(stage, f"set{capital(name)}")(value)
        with pytest.raises(TypeError, match=name):
            cls(**{name: value})
    assert not stage.isSet(name)


def test_numbers_of_other_libraries_are_numbers() -> None:
    numpy = pytest.importorskip("numpy", reason="numbers of numpy need numpy")
    tokenizer = Tokenizer().setMinLength(numpy.int64(3)).setMaxLength(7.0)
    assert tokenizer.getMinLength() == 3 and type(tokenizer.getMinLength()) is int and tokenizer.getMaxLength() == 7
    sequence = AlbertForSequenceClassification().setThreshold(numpy.float32(0.5))
    assert sequence.getThreshold() == 0.5 and type(sequence.getThreshold()) is float
    assert AlbertForSequenceClassification().setThreshold(1).getThreshold() == 1.0
    assert Tokenizer().setExceptions(("a", numpy.str_("b"))).getExceptions() == ["a", "b"]


WRONG_VALUES = [
    (DocumentAssembler, {"cleanupMode": "tidy"}, 'no cleanup mode "tidy"; there are disabled'),
    (SentenceDetector, {"customBoundsStrategy": "nearest"}, 'no custom bounds strategy "nearest"; there are none'),
    (SentenceDetector, {"minLength": 5, "maxLength": 4}, "5"),
    (SentenceDetector, {"customBounds": ["("]}, r"\("),
    (Tokenizer, {"minLength": -1}, "minLength"),
    (Tokenizer, {"minLength": 5, "maxLength": 4}, "5"),
    (Tokenizer, {"contextChars": ["ab"]}, "ab"),
    (Tokenizer, {"splitChars": ["("]}, r"\("),
    (Tokenizer, {"infixPatterns": ["no group"]}, "no group"),
    (Tokenizer, {"prefixPattern": "no begin"}, "no begin"),
    (AlbertForSequenceClassification, {"maxSentenceLength": 1}, "between 2 and 512 .* but 1 was asked for"),
    (AlbertForSequenceClassification, {"maxSentenceLength": 513}, "between 2 and 512 .* but 513 was asked for"),
    (AlbertForSequenceClassification, {"maxSentenceLength": -1}, "maxSentenceLength"),
    (AlbertForSequenceClassification, {"batchSize": 0}, "batchSize"),
    (AlbertForSequenceClassification, {"threshold": 1.5}, "threshold"),
    (AlbertForSequenceClassification, {"activation": "tanh"}, "activation"),
    (AlbertForSequenceClassification, {"encoding": "letters"}, "encoding"),
    (AlbertForSequenceClassification, {"windowOverlap": 400}, "400"),
    (AlbertForSequenceClassification, {"precision": "f8"}, "precision"),
]


@pytest.mark.parametrize(("cls", "values", "message"), WRONG_VALUES)
def test_values_that_cannot_be_are_refused_before_work(
    cls: Any, values: dict[str, Any], message: str, stages: list[Any]
) -> None:
    stage = stage_of(cls)
    for name, value in values.items():
        getattr(stage, f"set{capital(name)}")(value)
    works = [
        lambda: PipelineModel([stage]).transform(TABLE),
        lambda: LightPipeline(PipelineModel([stages[0], stage])).annotate("a"),
    ]
    works.append((lambda: stage.fit(None)) if cls is Tokenizer else (lambda: stage.transform(TABLE)))
    works.append(lambda: Pipeline([*stages, stage]).fit(TABLE))
    for work in works:
        with pytest.raises(ParamError, match=message):
            work()


# annotations, pipelines


def test_annotations_are_records() -> None:
    annotation = Annotation("category", 0, 5, "Sports", {"sentence": "0", "Sports": "0.75"})
    assert repr(annotation) == "Annotation(category, 0, 5, Sports, {'sentence': '0', 'Sports': '0.75'}, [])"
    assert annotation == Annotation("category", 0, 5, "Sports", {"sentence": "0", "Sports": "0.75"}, [])
    other = annotation.copy("World")
    assert other.result == "World" and other != annotation and other.metadata == annotation.metadata
    other.metadata["more"] = "x"
    assert "more" not in annotation.metadata
    assert pickle.loads(pickle.dumps(annotation)) == annotation == copy.deepcopy(annotation)


def test_offsets_count_utf16_and_include_the_last(model: PipelineModel) -> None:
    (row,) = LightPipeline(model).fullAnnotate("\U0001f600 up")
    assert [(token.begin, token.end, token.result) for token in row["token"]] == [(0, 1, "\U0001f600"), (3, 4, "up")]
    assert (row["document"][0].begin, row["document"][0].end) == (0, 4)


def test_categories_have_the_score_of_every_label_as_java_prints_it(model: PipelineModel) -> None:
    (row,) = LightPipeline(model).fullAnnotate("The striker scored twice in the final.")
    (found,) = row["class"]
    assert (
        list(found.metadata) == ["sentence", "World", "Sports", "Business", "Sci/Tech"]
        and found.metadata["sentence"] == "0"
    )
    scores = {label: float(score) for label, score in found.metadata.items() if label != "sentence"}
    assert max(scores, key=lambda label: scores[label]) == found.result == "Sports" and sum(
        scores.values()
    ) == pytest.approx(1)
    expected = albertine.classify("The striker scored twice in the final.", max_sentence_length=128).scores
    assert scores == {label: pytest.approx(score, abs=1e-7) for label, score in expected.items()}
    # numbers under a thousandth have an exponent, and none has more digits than it needs
    assert all(len(score or "") <= 14 and "e" not in (score or "") for score in found.metadata.values())


def test_pipelines_take_stages_in_every_way(stages: list[Any]) -> None:
    document, token, sequence = stages
    raw = Tokenizer().setInputCols(["document"]).setOutputCol("token")
    finisher = Finisher().setInputCols(["class"]).setOutputCols(["label"])
    for pipeline in (
        Pipeline(stages=[document, raw, sequence, finisher]),
        Pipeline().setStages([document, raw, sequence, finisher]),
        RecursivePipeline(stages=[document, token, sequence, finisher]),
        Pipeline(stages=[Pipeline(stages=[document, raw]), sequence, PipelineModel([finisher])]),
    ):
        fitted = pipeline.fit(TABLE)
        assert isinstance(fitted, PipelineModel) and fitted.transform(TABLE)["label"].to_pylist() == LABELS
        assert type(pipeline.copy()) is type(pipeline) and pipeline.copy().uid == pipeline.uid
        assert len(fitted.stages) == len(pipeline.getStages())
    assert isinstance(raw.fit(None), TokenizerModel) and raw.fit(None).uid == raw.uid
    assert TokenizerModel.pretrained().getContextChars() == raw.getContextChars()
    with pytest.raises(PipelineError, match="there is no tokenizer named 'other'; there is 'token_rules'"):
        TokenizerModel.pretrained("other")


def test_pipelines_may_be_stages(stages: list[Any]) -> None:
    """What is inside reads columns that only those before it write."""
    document, _, sequence = stages
    raw = Tokenizer().setInputCols(["document"]).setOutputCol("token")
    for pipeline in (
        Pipeline(stages=[document, Pipeline(stages=[raw, sequence])]),
        Pipeline(stages=[document, Pipeline(stages=[raw, Pipeline(stages=[sequence])])]),
        Pipeline(stages=[document, PipelineModel([raw.fit(None)]), Pipeline(stages=[sequence])]),
    ):
        model = pipeline.fit(TABLE)
        assert [[item["result"] for item in row] for row in model.transform(TABLE)["class"].to_pylist()] == LABELS
        assert LightPipeline(model).annotate("Oil is up.")["class"] == ["Business"]
        assert len(model.stages) == len(pipeline.getStages())
    with pytest.raises(albertine.ColumnError, match="there is no column `document`"):
        Pipeline(stages=[Pipeline(stages=[raw]), document]).fit(TABLE)


def test_stages_are_a_parameter(stages: list[Any]) -> None:
    pipeline = Pipeline(stages=stages)
    assert pipeline.getOrDefault("stages") == pipeline.getOrDefault(pipeline.stages) == pipeline.getStages() == stages
    assert Pipeline(stages=None).getStages() == Pipeline().getStages() == []
    assert pipeline.fit(TABLE, {pipeline.stages: stages[:1]}).transform(TABLE).column_names == ["text", "document"]
    assert pipeline.copy().getStages() != stages and pipeline.copy().getStages()[0].uid == stages[0].uid


def test_values_can_be_given_for_one_call(stages: list[Any]) -> None:
    sequence = stages[2]
    model = Pipeline(stages).fit(TABLE, {sequence.outputCol: "label"})
    assert model.transform(TABLE).column_names[-1] == "label"
    assert PipelineModel(stages).transform(TABLE, {sequence.outputCol: "category"}).column_names[-1] == "category"
    assert sequence.getOutputCol() == "class"
    assert stages[0].transform(TABLE, {stages[0].outputCol: "d"}).column_names == ["text", "d"]
    copied = sequence.copy({sequence.batchSize: 3})
    assert copied.getBatchSize() == 3 and sequence.getBatchSize() == 8 and copied.uid == sequence.uid
    several = Pipeline(stages).fit(TABLE, [{sequence.outputCol: name} for name in ("x", "y")])
    assert [fitted.transform(TABLE).column_names[-1] for fitted in several] == ["x", "y"]


def test_stages_that_are_none_are_told(stages: list[Any]) -> None:
    class Foreign(Params):
        pass

    told = {
        5: "5 is not a pipeline stage",
        "Tokenizer": "'Tokenizer' is not a pipeline stage",
        DocumentAssembler: r"DocumentAssembler is a class, not a stage: DocumentAssembler\(\) makes one",
        Foreign(): "Foreign_.* is not one of albertine's stages, so the pipeline needs a Spark DataFrame",
    }
    for strange, message in told.items():
        works = [
            lambda: Pipeline([*stages, strange]).fit(TABLE),
            lambda: PipelineModel([*stages, strange]).transform(TABLE),
        ]
        for work in [*works, lambda: Pipeline([*stages, Pipeline([strange])]).fit(TABLE)]:
            with pytest.raises(PipelineError, match=message):
                work()


def test_a_classifier_without_a_model_says_where_one_comes_from(stages: list[Any]) -> None:
    empty = AlbertForSequenceClassification().setInputCols(["document", "token"]).setOutputCol("class")
    assert (
        empty.getInputCols() == ["document", "token"]
        and "batchSize" in empty.explainParams()
        and repr(empty) == empty.uid
    )
    assert pickle.loads(pickle.dumps(empty)).getOutputCol() == "class"
    works: list[Callable[[], Any]] = [
        empty.getClasses,
        lambda: empty.transform(TABLE),
        lambda: Pipeline([*stages[:2], empty]).fit(TABLE),
        lambda: LightPipeline(PipelineModel([*stages[:2], empty])).annotate("a"),
    ]
    for work in works:
        with pytest.raises(
            PipelineError, match=r"there is no model: use AlbertForSequenceClassification\.pretrained\(name\) or \.load"
        ):
            work()


def test_stages_of_one_model_do_not_know_of_each_other() -> None:
    one, other = AlbertForSequenceClassification.pretrained(), AlbertForSequenceClassification.pretrained()
    copied = one.copy()
    one.setOutputCol("one").setInputCols(["a", "b"]).setThreshold(0.9).setMaxSentenceLength(5).setPrecision("int8")
    for stage in (other, copied):
        assert stage.getOutputCol() == "class" and stage.getInputCols() == ["document", "token"]
        assert stage.getThreshold() == 0.5 and stage.getMaxSentenceLength() == 128 and stage.getPrecision() == "f32"
    assert one.uid != other.uid


def test_precision_can_be_changed(stages: list[Any]) -> None:
    sequence = stages[2]

    def scores() -> list[str]:
        (row,) = LightPipeline(PipelineModel(stages)).fullAnnotate("Oil prices rose as OPEC cut output.")
        return list(row["class"][0].metadata.values())

    exact = scores()
    found = {precision: sequence.setPrecision(precision) and scores() for precision in ("int8", "f32")}
    assert found["f32"] == exact != found["int8"]
    assert [float(score) for score in found["int8"]] == pytest.approx([float(score) for score in exact], abs=0.1)
    assert AlbertForSequenceClassification.pretrained(precision="int8").getPrecision() == "int8"


def test_bfloat16_works_where_the_cpu_has_it_and_is_refused_elsewhere(stages: list[Any]) -> None:
    text = "Oil prices rose as OPEC cut output."
    try:
        label = albertine.classify(text, precision="bf16").label
    except albertine.errors.ModelError as refused:
        pattern = "the CPU level [a-z0-9_]+ does not support bfloat16: use f32, which every CPU supports, or int8"
        assert re.fullmatch(pattern, str(refused))
        with pytest.raises(albertine.errors.ModelError, match=pattern):
            LightPipeline(PipelineModel([*stages[:2], stages[2].setPrecision("bf16")])).annotate(text)
    else:
        assert label == "Business"
        (annotated,) = LightPipeline(PipelineModel([*stages[:2], stages[2].setPrecision("bf16")])).fullAnnotate(text)
        assert annotated["class"][0].result == "Business"


def test_a_precision_that_a_model_came_in_is_saved(stages: list[Any], tmp_path: Path) -> None:
    stages[2].save(str(tmp_path / "f32"))
    for name, stage in {
        "pretrained": AlbertForSequenceClassification.pretrained(precision="int8"),
        "loaded": AlbertForSequenceClassification.load(tmp_path / "f32" / "model", precision="int8"),
        "stage": AlbertForSequenceClassification.load(tmp_path / "f32", precision="int8"),
    }.items():
        stage.save(str(tmp_path / name))
        PipelineModel([*stages[:2], stage]).save(str(tmp_path / f"{name} in a model"))
        Pipeline([*stages[:2], stage]).save(str(tmp_path / f"{name} in a pipeline"))
        again = [
            AlbertForSequenceClassification.load(tmp_path / name),
            PipelineModel.load(tmp_path / f"{name} in a model").stages[2],
            Pipeline.load(tmp_path / f"{name} in a pipeline").getStages()[2],
            stage.copy(),
            pickle.loads(pickle.dumps(stage)),
        ]
        assert [each.getPrecision() for each in again] == ["int8"] * 5 and stage.hasDefault("precision")
    assert stages[2].getPrecision() == "f32" and not stages[2].isSet("precision")


def test_exploded_sentences_leave_no_row_of_a_text_without_any(stages: list[Any]) -> None:
    table = pa.table({"text": ["Oil is up. Gold is not.", None, "", "  ", "One."]})
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")
    assert PipelineModel([stages[0], sentence]).transform(table).num_rows == 5
    exploded = PipelineModel([stages[0], sentence.setExplodeSentences(True)]).transform(table)
    assert exploded["text"].to_pylist() == ["Oil is up. Gold is not."] * 2 + ["One."]


# texts in hand


def test_light_pipelines_give_what_spark_nlp_s_do(model: PipelineModel) -> None:
    light = LightPipeline(model)
    one = light.annotate("Oil is up.")
    assert one == {"document": ["Oil is up."], "token": ["Oil", "is", "up", "."], "class": ["Business"]}
    assert light.annotate(["Oil is up.", ""]) == [one, {"document": [""], "token": [], "class": []}]
    assert light.annotate(("Oil is up.",)) == [one]
    (full,) = light.fullAnnotate("Oil is up.")
    assert {column: [annotation.result for annotation in found] for column, found in full.items()} == one
    assert full["token"][3] == Annotation("token", 9, 9, ".", {"sentence": "0"})
    assert light.fullAnnotate(["Oil is up."]) == [full]
    assert light.annotate([]) == [] and light.fullAnnotate([]) == []
    assert light.transform(TABLE).equals(model.transform(TABLE))
    assert LightPipeline(model, output_cols=["class"]).annotate("Oil is up.") == {"class": ["Business"]}
    assert LightPipeline(model, parse_embeddings=True).annotate("Oil is up.") == one
    assert repr(light) == f"LightPipeline({model.stages!r})"


def test_a_light_pipeline_chooses_columns_of_tables_too(stages: list[Any]) -> None:
    pd = pytest.importorskip("pandas", reason="frames of pandas need pandas")
    pl = pytest.importorskip("polars", reason="frames of polars need polars")
    light = LightPipeline(PipelineModel(stages), output_cols=["class", "nothing"])
    table = TABLE.append_column("the.place", pa.array([1, 2, 3]))
    names = ["text", "the.place", "class"]

    class Capsule:
        def __arrow_c_stream__(self, schema: Any = None) -> Any:
            return table.__arrow_c_stream__(schema)

    for frame in (table, table.to_reader(), table.to_batches()[0], Capsule()):
        found = light.transform(frame)
        assert found.schema.names == names
        whole = found.read_all() if isinstance(found, pa.RecordBatchReader) else found
        assert [[item["result"] for item in row] for row in whole["class"].to_pylist()] == LABELS
    assert list(light.transform(table.to_pandas()).columns) == light.transform(pl.DataFrame(table)).columns == names
    # what is left is annotations as before
    finisher = Finisher().setInputCols(["class"]).setOutputCols(["label"])
    for frame in (table, pd.DataFrame(table.to_pandas()), pl.DataFrame(table)):
        assert [
            list(row) for row in pa.table(finisher.transform(light.transform(frame)))["label"].to_pylist()
        ] == LABELS


def test_a_finisher_only_chooses_columns_of_a_light_pipeline(stages: list[Any]) -> None:
    light = LightPipeline(PipelineModel([*stages, Finisher().setInputCols(["class"]).setOutputCols(["label"])]))
    assert light.annotate("Oil is up.") == {"class": ["Business"]}


def test_texts_may_have_ids(model: PipelineModel) -> None:
    light = LightPipeline(model)
    found = light.annotate([7, 8], ["Oil is up.", ""])
    assert [row["doc_id"] for row in found] == [["7"], ["8"]] and found[0]["class"] == ["Business"]
    assert list(found[0]) == ["doc_id", "document", "token", "class"]
    assert light.fullAnnotate([7], ["Oil is up."])[0]["doc_id"] == [Annotation("document", 0, 0, "7")]
    model.stages[0].setIdCol("number")
    assert light.annotate([7], ["Oil is up."])[0]["number"] == ["7"]


def test_a_missing_text_is_an_empty_one_in_a_light_pipeline(model: PipelineModel) -> None:
    light = LightPipeline(model)
    empty = light.fullAnnotate("")
    for missing in (None, float("nan")):
        assert light.fullAnnotate(["Oil is up.", missing])[1:] == empty  # type: ignore[list-item]
        assert light.annotate([1, 2], [missing, "Oil is up."])[0]["class"] == []  # type: ignore[list-item]


def test_light_pipelines_refuse_what_is_no_text(model: PipelineModel) -> None:
    light = LightPipeline(model)
    cases: list[tuple[tuple[Any, ...], str]] = [
        ((5,), "not int"),
        ((None,), "not NoneType"),
        ((b"text",), "not bytes"),
        (({"text": "a"},), "not dict"),
        (("question?", "context"), "not str and str"),
        (([1, 2], "ab"), "not list and str"),
        ((["a"], ["b"]), "not list and list"),
    ]
    for arguments, message in cases:
        for work in (light.annotate, light.fullAnnotate):
            with pytest.raises(
                TypeError, match=f"expected a text, a list of texts, or a list of ids and a list of texts, {message}"
            ):
                work(*arguments)
    with pytest.raises(TypeError, match="there are 2 ids but 1 texts"):
        light.annotate([1, 2], ["a"])
    for texts in (["a", 5], ["a", b"b"], ["a", ["b"]]):
        with pytest.raises(TypeError, match=f"^text 1 must be a str, not {type(texts[1]).__name__}$"):
            light.annotate(texts)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="metadata"):
        light.annotate("a", metadata={"page": "1"})  # type: ignore[call-overload]
    for unfitted in (Pipeline(model.stages), albertine._ml.Pipeline()):
        with pytest.raises(PipelineError, match=r"Pipeline_.* is not fitted: pass the result of its fit\(table\)"):
            LightPipeline(unfitted)
    for strange in (5, model.stages[0], "name"):
        with pytest.raises(TypeError, match="expected a fitted pipeline, a PipelineModel"):
            LightPipeline(strange)
    with pytest.raises(PipelineError, match="must begin with a DocumentAssembler"):
        LightPipeline(PipelineModel(model.stages[1:])).annotate("a")
    with pytest.raises(albertine.RowError, match="row 1: the text holds half a character"):
        light.annotate(["a", "\ud83d"])


def test_stages_of_others_are_passed_over_when_told(model: PipelineModel) -> None:
    class Strange:
        def __repr__(self) -> str:
            return "Strange_1"

    light = LightPipeline(PipelineModel([*model.stages, Strange()]))
    with pytest.raises(
        PipelineError, match=r"Strange_1 cannot work without a table; setIgnoreUnsupported\(True\) skips such"
    ):
        light.annotate("a")
    assert light.getIgnoreUnsupported() is False
    assert light.setIgnoreUnsupported(True).annotate("Oil is up.")["class"] == ["Business"]
    assert light.getIgnoreUnsupported() is True


def test_stages_of_spark_have_no_part_in_texts_in_hand(model: PipelineModel) -> None:
    class Foreign(Transformer):
        def _transform(self, dataset: Any) -> Any:
            raise AssertionError("there is no table")

    light = LightPipeline(PipelineModel([Foreign(), *model.stages, PipelineModel([Foreign()])]))
    assert light.annotate("Oil is up.") == LightPipeline(model).annotate("Oil is up.")


def test_a_text_is_no_path(model: PipelineModel, tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG")
    assert LightPipeline(model).annotate(str(file))["document"] == [str(file)]
    assert LightPipeline(model).annotate([f"file://{file}"])[0]["document"] == [f"file://{file}"]


def test_a_light_pipeline_follows_its_stages(model: PipelineModel) -> None:
    light = LightPipeline(model)
    assert "class" in light.annotate("a")
    model.stages[2].setOutputCol("label")
    assert "label" in light.annotate("a") and "class" not in light.annotate("a")


# on disk


def test_pipelines_are_saved_whole(stages: list[Any], tmp_path: Path) -> None:
    stages[2].setPrecision("int8").setMaxSentenceLength(99)
    sentence = SentenceDetector().setInputCols(["document"]).setOutputCol("sentence")
    model = PipelineModel([stages[0], sentence, *stages[1:], Finisher().setInputCols(["class"])])
    path = str(tmp_path / "news")
    model.save(path)
    with pytest.raises(
        AlbertineError, match=r"news already exists; write\(\)\.overwrite\(\)\.save\(path\) replaces it"
    ):
        model.save(path)
    again = PipelineModel.load(path)
    assert [type(stage) for stage in again.stages] == [type(stage) for stage in model.stages]
    assert [stage.uid for stage in again.stages] == [stage.uid for stage in model.stages]
    assert again.stages[3].getPrecision() == "int8" and again.stages[3].getMaxSentenceLength() == 99
    assert again.transform(TABLE).equals(model.transform(TABLE))
    model.stages[3].setMaxSentenceLength(50)
    model.write().overwrite().save(path)
    assert PipelineModel.read().load(path).stages[3].getMaxSentenceLength() == 50
    # what was loaded from a place can be saved over it
    again = PipelineModel.load(path)
    again.write().overwrite().save(path)
    assert PipelineModel.load(path).transform(TABLE).equals(model.transform(TABLE))
    assert os.listdir(tmp_path) == ["news"], "nothing is left behind"


def test_a_model_is_saved_as_a_folder_that_others_read(stages: list[Any], tmp_path: Path) -> None:
    sequence = stages[2].setOutputCol("label")
    sequence.write().overwrite().save(str(tmp_path / "stage"))
    saved = AlbertForSequenceClassification.load(tmp_path / "stage")
    assert saved.getOutputCol() == "label" and saved.getClasses() == sequence.getClasses()
    again = AlbertForSequenceClassification.load(tmp_path / "stage" / "model", precision="int8")
    assert again.getOutputCol() == "class" and again.getPrecision() == "int8"
    assert (
        AlbertForSequenceClassification.pretrained(tmp_path / "stage" / "model").getClasses() == sequence.getClasses()
    )
    assert (
        AlbertForSequenceClassification.loadSavedModel(str(tmp_path / "stage" / "model")).getClasses()
        == sequence.getClasses()
    )
    assert albertine.classify("Oil is up.", model=str(tmp_path / "stage" / "model")) == albertine.classify("Oil is up.")
    with pytest.raises(
        PipelineError, match="holds albertine.annotator.AlbertForSequenceClassification, not a Tokenizer"
    ):
        Tokenizer.load(str(tmp_path / "stage"))
    for cls in (Tokenizer, DocumentAssembler, SentenceDetector, Finisher, TokenizerModel):
        with pytest.raises(PipelineError, match=f"holds no {cls.__name__}"):
            cls.load(str(tmp_path))
    for cls in (AlbertForSequenceClassification, Tokenizer, DocumentAssembler, PipelineModel):
        with pytest.raises(ModelNotFound, match="there is nothing at .*nowhere"):
            cls.load(str(tmp_path / "nowhere"))
    with pytest.raises(PipelineError, match="is not a saved pipeline"):
        PipelineModel.load(tmp_path)


def test_pipelines_to_be_fitted_are_saved(stages: list[Any], tmp_path: Path) -> None:
    raw = Tokenizer().setInputCols(["document"]).setOutputCol("token").setMinLength(2)
    pipeline = Pipeline(stages=[stages[0], Pipeline(stages=[raw]), stages[2]])
    pipeline.save(str(tmp_path / "pipeline"))
    for again in (Pipeline.load(tmp_path / "pipeline"), Pipeline.read().load(str(tmp_path / "pipeline"))):
        assert type(again) is Pipeline and again.uid == pipeline.uid
        assert [stage.uid for stage in again.getStages()] == [stages[0].uid, raw.uid, stages[2].uid]
        assert isinstance(again.getStages()[1], Tokenizer) and again.getStages()[1].getMinLength() == 2
        assert again.fit(TABLE).transform(TABLE).equals(pipeline.fit(TABLE).transform(TABLE))
    assert type(RecursivePipeline.load(tmp_path / "pipeline")) is RecursivePipeline
    model = PipelineModel.load(tmp_path / "pipeline")
    assert isinstance(model.stages[1], TokenizerModel) and LightPipeline(model).annotate("Oil is up.")["class"] == [
        "Business"
    ]
    with pytest.raises(AlbertineError, match="pipeline already exists"):
        pipeline.save(str(tmp_path / "pipeline"))
    raw.setMinLength(1)
    pipeline.write().overwrite().save(str(tmp_path / "pipeline"))
    assert Pipeline.load(tmp_path / "pipeline").getStages()[1].getMinLength() == 1
    stages[1].save(str(tmp_path / "stage"))
    assert [type(stage) for stage in PipelineModel.load(tmp_path / "stage").stages] == [TokenizerModel]
    for cls in (Pipeline, PipelineModel):
        with pytest.raises(ModelNotFound, match="there is nothing at .*nowhere"):
            cls.load(tmp_path / "nowhere")
        with pytest.raises(PipelineError, match="is not a saved pipeline"):
            cls.load(tmp_path)


def test_a_disk_that_is_full_leaves_what_was_there(python: Callable[..., Any], tmp_path: Path) -> None:
    """Files of over 64 KiB cannot be written, as if the disk was full: the model has one."""
    program = """if True:
        import os, resource, sys
        from albertine.annotator import AlbertForSequenceClassification
        from albertine.base import PipelineModel
        sequence = AlbertForSequenceClassification.pretrained()
        folder = sys.argv[1]
        for name, thing in (("stage", sequence), ("pipeline", PipelineModel([sequence]))):
            thing.save(os.path.join(folder, name))
        before = sorted(os.walk(folder))
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
        for name, thing in (("stage", sequence), ("pipeline", PipelineModel([sequence]))):
            for place, writer in ((name, thing.write().overwrite()), (name + " 2", thing.write())):
                try:
                    writer.save(os.path.join(folder, place))
                except Exception as error:
                    print(type(error).__name__, error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert sorted(os.walk(folder)) == before, "what was there is there, and nothing else"
        assert AlbertForSequenceClassification.load(os.path.join(folder, "stage")).getClasses()
        assert PipelineModel.load(os.path.join(folder, "pipeline")).stages
        """
    said = python(program, str(tmp_path)).stdout.splitlines()
    assert len(said) == 4 and all("File too large" in line for line in said), said


def json_lines(path: Path) -> list[Any]:
    # characters that end lines for Python are in texts
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_stages_and_pipelines_that_spark_nlp_saved_are_read(saved_models: Path, tmp_path: Path) -> None:
    texts, cases = (json_lines(saved_models.parent / name) for name in ("class_texts.jsonl", "classes.jsonl"))
    expected = {}
    for case in cases:
        if case.get("params") is None and "classes" in case:
            expected[case["model"]] = case["classes"]
    assert len(expected) == 5
    for name, rows in expected.items():
        path = next(path for path in (saved_models / f"{name}.zip", saved_models / name) if path.exists())
        table = pa.table({"text": texts[: len(rows)]})
        if "pipeline" in name:
            stages = [stage for stage in PipelineModel.load(path).stages if not isinstance(stage, Finisher)]
            stages[-1].setOutputCol("class")
        else:
            sequence = (
                AlbertForSequenceClassification.load(path).setInputCols(["document", "token"]).setOutputCol("class")
            )
            assert sequence.getEncoding() == "token"
            stages = [DocumentAssembler(), Tokenizer().setInputCols(["document"]).fit(None), sequence]
        found = PipelineModel(stages).transform(table)["class"].to_pylist()
        same = [[item["result"] for item in row] == [item[2] for item in theirs] for row, theirs in zip(found, rows)]
        # with ONNX, Spark NLP lets the sentences of a row have a part in each other
        assert sum(same) >= (len(same) * 3 // 4 if "sentence" in name else len(same)), name
        # what is read is saved as ours, and still reads token by token
        PipelineModel(stages).write().overwrite().save(str(tmp_path / "again"))
        assert PipelineModel.load(tmp_path / "again").transform(table)["class"].to_pylist() == found
    annotator = AlbertForSequenceClassification.load(saved_models / "annotator_onnx")
    assert (
        annotator.getThreshold(),
        annotator.getActivation(),
        annotator.getMaxSentenceLength(),
        annotator.getBatchSize(),
    ) == (0.25, "sigmoid", 64, 4)
    assert annotator.getCaseSensitive() is True and annotator.getMultilabel() is True
    tokenizer = (
        TokenizerModel.load(saved_models / "tokenizers" / "patterns").setInputCols("document").setOutputCol("token")
    )
    light = LightPipeline(PipelineModel([DocumentAssembler(), tokenizer]))
    assert light.annotate("[Jane's #1.")["token"] == ["[", "Jane", "'s", "#", "1", "."]
    with pytest.raises(PipelineError, match="holds no SentenceDetector"):
        SentenceDetector.load(saved_models / "tokenizers" / "patterns")


def others(table: pa.Table) -> list[Any]:
    pl = pytest.importorskip("polars", reason="frames of polars need polars")
    pytest.importorskip("pandas", reason="frames of pandas need pandas")
    return [table.to_pandas(), pl.DataFrame(table)]


def test_pretrained_pipelines(saved_models: Path) -> None:
    path = saved_models / "albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip"
    pipelines = [
        PretrainedPipeline(path),
        PretrainedPipeline(str(path)),
        PretrainedPipeline(str(path), lang="en", remote_loc=None, parse_embeddings=False),
        PretrainedPipeline(None, disk_location=str(path)),
        PretrainedPipeline.from_disk(str(path)),
    ]
    for pipeline in pipelines:
        assert isinstance(pipeline.model, PipelineModel) and isinstance(pipeline.light_model, LightPipeline)
        found = pipeline.annotate("Oil is up.")
        assert found["token"] == ["Oil", "is", "up", "."] and pipeline.annotate(["Oil is up."]) == [found]
        assert pipeline.fullAnnotate("Oil is up.")[0]["token"][0].result == "Oil"
        assert pipeline.annotate([3], ["Oil is up."])[0]["doc_id"] == ["3"]
        body = TABLE.rename_columns(["body"])
        for frame in (body, body.to_batches()[0], body.to_reader()):
            result = pipeline.annotate(frame, "body")
            assert type(result) is type(frame)
            whole = result.read_all() if isinstance(result, pa.RecordBatchReader) else pa.table(result)
            assert whole.equals(pipeline.transform(TABLE)) and whole.column_names[0] == "text"
        assert all(list(pipeline.annotate(frame, "body").columns)[:2] == ["text", "document"] for frame in others(body))
        assert pipeline.fullAnnotate(body, column="body").equals(pipeline.transform(TABLE))
        with pytest.raises(albertine.ColumnError, match="there is no column `body`; there are `text`"):
            pipeline.annotate(TABLE, "body")
        numbered = TABLE.to_pandas().rename(columns={"text": 0})
        assert list(pipeline.annotate(numbered, 0)["token"]) == list(pipeline.transform(TABLE.to_pandas())["token"])
        assert pipeline.transform(TABLE).num_rows == 3 and "PretrainedPipeline([DocumentAssembler_" in repr(pipeline)
    with pytest.raises(TypeError, match="a pipeline has a name or a disk_location"):
        PretrainedPipeline(None)
    with pytest.raises(PipelineError, match="ag_news is not a saved pipeline: it is a model"):
        PretrainedPipeline("ag_news")
    with pytest.raises(ModelNotFound, match="there is no model named `no_such_pipeline`"):
        PretrainedPipeline("no_such_pipeline")


# copies


def test_stages_and_pipelines_can_be_copied_and_pickled(stages: list[Any], saved_models: Path) -> None:
    saved = AlbertForSequenceClassification.load(saved_models / "annotator_onnx").setOutputCol("label")
    whole = [*stages, saved, SentenceDetector(), Finisher(inputCols=["class"]), Tokenizer(minLength=2)]
    for stage in whole:
        for copied in (pickle.loads(pickle.dumps(stage)), copy.copy(stage), copy.deepcopy(stage), stage.copy()):
            assert type(copied) is type(stage) and copied.uid == stage.uid == repr(copied)
            assert copied.extractParamMap() == stage.extractParamMap()
            if isinstance(stage, AlbertForSequenceClassification):
                assert copied.getClasses() == stage.getClasses()
    assert len(pickle.dumps(stages[2])) < 10_000, "the model goes by its name"
    deep = copy.deepcopy(stages[2])
    deep.setThreshold(0.75)
    assert stages[2].getThreshold() == 0.5
    model = PipelineModel(stages)
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), model.copy()):
        assert copied.transform(TABLE).equals(model.transform(TABLE)) and copied.uid == model.uid
    pipeline = pickle.loads(pickle.dumps(Pipeline(stages)))
    assert pipeline.fit(TABLE).transform(TABLE).equals(model.transform(TABLE))
    light = LightPipeline(model)
    for each in (light, PretrainedPipeline.from_disk(str(next(saved_models.glob("*news_pipeline_en_5*.zip"))))):
        before = each.annotate("Oil is up.")
        assert (
            pickle.loads(pickle.dumps(each)).annotate("Oil is up.")
            == copy.deepcopy(each).annotate("Oil is up.")
            == before
        )


def test_joblib_keeps_pipelines(model: PipelineModel, tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib", reason="pipelines in joblib's files and workers need joblib")
    joblib.dump(model, tmp_path / "model.joblib")
    assert joblib.load(tmp_path / "model.joblib").transform(TABLE).equals(model.transform(TABLE))


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_pipelines_go_to_other_processes(method: str, model: PipelineModel) -> None:
    import multiprocessing

    light = LightPipeline(model)
    texts = ["Oil prices rose as OPEC cut output.", "The striker scored twice in the final."]
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(light.fullAnnotate, texts) == [light.fullAnnotate(text) for text in texts]


def test_a_pickle_is_read_in_another_folder(
    tmp_path: Path, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """A model by a path that was not whole: the pickle has the whole one."""
    before = signal.getsignal(signal.SIGINT)
    AlbertForSequenceClassification.pretrained().save(str(tmp_path / "stage"))
    python(
        "import pickle, sys; from albertine.annotator import AlbertForSequenceClassification as A;"
        "open('pickle', 'wb').write(pickle.dumps([A.load('stage'), A.load('stage/model'), A.pretrained('./stage/model')]))",
        cwd=tmp_path,
    )
    loaded = pickle.loads((tmp_path / "pickle").read_bytes())
    assert [stage.getClasses()[0] for stage in loaded] == ["World"] * 3
    assert signal.getsignal(signal.SIGINT) is before, "nothing took Ctrl-C over"
