package albertine

import albertine.annotator._
import albertine.base._
import albertine.pretrained.PretrainedPipeline
import org.apache.spark.ml.{Pipeline, PipelineModel}

import java.nio.file.{Files, Path}
import scala.collection.JavaConverters._

/** Stages and pipelines on disk, here and in Python. */
class SavingSuite extends SparkTest {

  private def fitted: PipelineModel = new Pipeline().setStages(stages).fit(table)

  test("a pipeline is saved and read by Spark's own classes, and gives the same") {
    val path = folder().resolve("pipeline").toString
    fitted.write.save(path)
    val back = PipelineModel.load(path)
    assert(labels(back.transform(table)) == texts.map(_._2))
    val unfitted = folder().resolve("unfitted").toString
    new Pipeline().setStages(stages).write.overwrite().save(unfitted)
    assert(labels(Pipeline.load(unfitted).fit(table).transform(table)) == texts.map(_._2))
    // where it came from
    back.write.overwrite().save(path)
    assert(labels(PipelineModel.load(path).transform(table)) == texts.map(_._2))
  }

  test("parameters and models come back, from a path with spaces") {
    val path = folder().resolve("a saved stage").toString
    val saved = sequence.setThreshold(0.1f).setActivation("sigmoid").setMaxSentenceLength(77).setWindowOverlap(
      8
    ).setPrecision("int8")
      .setConfigProtoBytes(Array(1, 2)).setLazyAnnotator(true).setBatchSize(3)
    saved.save(path)
    val back = AlbertForSequenceClassification.load(path)
    assert(back.uid == saved.uid && back.extractParamMap().toSeq.size == saved.extractParamMap().toSeq.size)
    for (param <- saved.params if saved.isSet(param)) assert(
      (saved.get(param), back.get(back.getParam(param.name))) match {
        case (Some(a: Array[_]), Some(b: Array[_])) => a.toSeq == b.toSeq
        case (a, b)                                 => a == b
      },
      param
    )
    val result = back.transform(tokenizer.fit(table).transform(document.transform(table)))
    assert(result.collect().length == texts.size)
    assert(intercept[PipelineException](Tokenizer.load(path)).getMessage.contains(
      "holds albertine.annotator.AlbertForSequenceClassification, not a Tokenizer"
    ))
    assert(intercept[ModelNotFoundException](Tokenizer.load("/nowhere")).getMessage == "there is nothing at /nowhere")
    assert(intercept[AlbertineException](AlbertForSequenceClassification.load(golden.toString)).getMessage.nonEmpty)
  }

  test("a stage is overwritten at the place that it was read from") {
    val path = folder().resolve("stage").toString
    sequence.save(path)
    val back = AlbertForSequenceClassification.load(path)
    back.setMaxSentenceLength(64).write.overwrite().save(path)
    assert(AlbertForSequenceClassification.load(path).getMaxSentenceLength == 64)
    intercept[java.io.IOException](back.write.save(path))
  }

  test("a model in a folder or an archive of any kind is read") {
    val huggingFace =
      AlbertForSequenceClassification.loadSavedModel(golden.resolve("models/huggingface").toString, spark)
    val onnx = AlbertForSequenceClassification.load(golden.resolve("models/onnx").toString)
    assert(huggingFace.getClasses.toSeq == onnx.getClasses.toSeq)
    assert(intercept[ModelException](
      BertForSequenceClassification.load(golden.resolve("models/onnx").toString)
    ).getMessage.contains("not for BertForSequenceClassification"))
  }

  test("BERT models have a stage of their own, with the scores of the command") {
    val path = root.resolve("testdata/golden/bert_cased").toString
    val some = headlines(20)
    val rows = spark.createDataFrame(some.zipWithIndex.map(_.swap)).toDF("place", "text")
    val saved = folder().resolve("bert").toString
    BertForSequenceClassification.load(path).setInputCols("token", "document").setOutputCol("class").save(saved)
    val bert = BertForSequenceClassification.load(saved)
    val result = new Pipeline().setStages(Array(document, tokenizer, bert)).fit(rows).transform(rows)
    for ((found, expected) <- Annotation.collect(result.orderBy("place"), "class").zip(commandScores(some, path))) {
      val (label, scores) = expected.get
      assert(found.map(_.result).toSeq == Seq(label))
      assert(scores.keySet == bert.getClasses.toSet)
      scores.foreach { case (name, score) => assert(found.head.metadata(name).toFloat == score) }
    }
  }

  test("a model is sent to executors, or found by its path, as the session says") {
    val path = folder().resolve("model")
    val model = sequence
    model.save(path.toString)
    val read =
      AlbertForSequenceClassification.load(path.toString).setInputCols("token", "document").setOutputCol("class")
    val pipeline = new Pipeline().setStages(Array(document, tokenizer, read)).fit(table)
    for (way <- Seq("broadcast", "path")) {
      spark.conf.set("spark.albertine.models", way)
      try assert(labels(pipeline.transform(table)) == texts.map(_._2))
      finally spark.conf.unset("spark.albertine.models")
    }
    spark.conf.set("spark.albertine.models", "mail")
    try assert(intercept[ParamException](
        pipeline.transform(table)
      ).getMessage == "spark.albertine.models is 'mail', expected 'path' or 'broadcast'")
    finally spark.conf.unset("spark.albertine.models")
  }

  test("a model that is gone when tasks want it is told, with what to do") {
    val path = folder().resolve("model")
    sequence.save(path.toString)
    val read =
      AlbertForSequenceClassification.load(path.toString).setInputCols("token", "document").setOutputCol("class")
    val gone = new Pipeline().setStages(Array(document, tokenizer, read)).fit(table).transform(table)
    albertine.internal.spark.Fetched.remove(path)
    val error = intercept[Exception](gone.collect())
    assert(
      error.getMessage.contains("ModelNotFoundException") && error.getMessage.contains(
        "every machine needs the model there"
      ),
      error
    )
  }

  private val stagesInPython = """
import sys
from albertine.base import DocumentAssembler, Finisher, LightPipeline, Pipeline, PipelineModel
from albertine.annotator import AlbertForSequenceClassification, SentenceDetector, Tokenizer
text = "The striker scored twice in the final."
"""

  test("a pipeline goes from Python to Scala and back") {
    val (there, back) = (folder().resolve("python").toString, folder().resolve("scala").toString)
    val expected = python(
      stagesInPython + """
stages = [
    DocumentAssembler().setInputCol("text").setOutputCol("document").setCleanupMode("shrink"),
    Tokenizer().setInputCols(["document"]).setOutputCol("token").addException("New York").setMaxLength(99),
    AlbertForSequenceClassification.pretrained().setInputCols(["token", "document"]).setOutputCol("class").setThreshold(0.25),
]
import pyarrow
model = Pipeline(stages=stages).fit(pyarrow.table({"text": [text]}))
model.write().overwrite().save(sys.argv[1])
print(LightPipeline(model).fullAnnotate(text)[0]["class"][0].metadata)
""",
      there
    )
    // Spark's own reader, and ours
    for (model <- Seq(PipelineModel.load(there), PretrainedPipeline.fromDisk(there).model)) {
      val token = model.stages(1).asInstanceOf[TokenizerModel]
      assert((token.getExceptions.toSeq, token.getMaxLength) == ((Seq("New York"), 99)))
      assert(model.stages(2).asInstanceOf[AlbertForSequenceClassification].getThreshold == 0.25f)
      val found = new LightPipeline(model).fullAnnotate("The striker scored twice in the final.")(
        "class"
      ).head.asInstanceOf[Annotation]
      val metadata = found.metadata.map { case (key, value) => s"'$key': '$value'" }.mkString("{", ", ", "}")
      assert(expected.trim.endsWith(metadata))
      model.write.overwrite().save(back)
    }
    val again = python(
      stagesInPython + """
model = PipelineModel.load(sys.argv[1])
print([type(stage).__name__ for stage in model.stages], model.stages[1].getMaxLength(), model.stages[2].getThreshold())
print(LightPipeline(model).fullAnnotate(text)[0]["class"][0].metadata)
model.write().overwrite().save(sys.argv[1])
""",
      back
    )
    assert(again.contains("['DocumentAssembler', 'TokenizerModel', 'AlbertForSequenceClassification'] 99 0.25"))
    assert(again.linesIterator.toSeq.last == expected.linesIterator.toSeq.last)
    assert(labels(PipelineModel.load(back).transform(table)) == texts.map(_._2))
  }

  test("what stands in a folder of another kind is told") {
    val path: Path = folder().resolve("odd")
    Files.createDirectories(path.resolve("metadata"))
    Files.write(path.resolve("metadata/part-00000"), "no json".getBytes)
    assert(intercept[PipelineException](DocumentAssembler.load(path.toString)).getMessage.contains(
      "is not the JSON of a saved stage"
    ))
    Files.write(path.resolve("metadata/part-00000"), Array[Byte](-1, -2))
    assert(intercept[PipelineException](DocumentAssembler.load(path.toString)).getMessage.contains(
      "is not the JSON of a saved stage"
    ))
    for (none <- Seq("", "nowhere://x"))
      assert(intercept[PipelineException](PretrainedPipeline.fromDisk(none)).getMessage.contains("cannot be read"))
    val stage = folder().resolve("stage")
    document.save(stage.toString)
    // called otherwise in each line of Spark
    val part =
      stage.resolve("metadata").toFile.listFiles().map(_.toPath).find(_.getFileName.toString.startsWith("part-")).get
    Files.write(
      part,
      new String(Files.readAllBytes(part), "UTF-8").replace(
        "\"inputCol\":\"text\"",
        "\"inputCol\":\"text\",\"fresh\":1"
      ).getBytes
    )
    Files.deleteIfExists(part.resolveSibling(s".${part.getFileName}.crc"))
    assert(intercept[PipelineException](DocumentAssembler.load(stage.toString)).getMessage.contains("fresh"))
  }
}
