package albertine

import albertine.annotator._
import albertine.base._
import albertine.functions._
import albertine.pretrained.{PretrainedPipeline, ResourceDownloader}
import org.apache.spark.ml.{Pipeline, PipelineModel}

import scala.collection.JavaConverters._

/** Texts in hand, whole pipelines, functions, and the surface as Java sees it. */
class LightSuite extends SparkTest {
  private lazy val model: PipelineModel = new Pipeline().setStages(stages).fit(table)

  test("a light pipeline gives what a table gives") {
    val light = new LightPipeline(model)
    val found = light.fullAnnotate(texts.map(_._1).toArray)
    val rows = model.transform(table).orderBy("place").collect()
    for ((ours, row) <- found.zip(rows); column <- Seq("document", "token", "class"))
      assert(ours(column) == Annotation.getAnnotations(row, column))
    assert(light.annotate("The striker scored twice in the final.").keys.toSeq == Seq("document", "token", "class"))
    assert(light.annotate("The striker scored twice in the final.")("class") == Seq("Sports"))
    assert(light.annotate(Array.empty[String]).isEmpty)
    assert(labels(light.transform(table)) == texts.map(_._2))
  }

  test("a light pipeline follows its stages, and a finisher only chooses columns") {
    val light = new LightPipeline(model)
    val token = model.stages(1).asInstanceOf[TokenizerModel]
    assert(light.annotate("Oil is up.")("token") == Seq("Oil", "is", "up", "."))
    token.setMinLength(3)
    assert(light.annotate("Oil is up.")("token") == Seq("Oil"))
    token.setMinLength(0)
    val finished = new Pipeline().setStages(stages :+ Finisher().setInputCols("class")).fit(table)
    assert(new LightPipeline(finished).annotate("Oil prices rose.") == Map("class" -> Seq("Business")))
  }

  test("annotations read as Spark NLP's") {
    val one = Annotation("Oil 😀.")
    assert(one.toString == "Annotation(type: document, begin: 0, end: 6, result: Oil 😀.)")
    assert(new JavaAnnotation("token", 0, 2, "Oil", java.util.Collections.emptyMap[String, String]()).toString ==
      "JavaAnnotation(type: token, begin: 0, end: 2, result: Oil)")
    val row = model.transform(table).orderBy("place").select("token").head()
    assert(Annotation.getAnnotations(row, 0) == Annotation.getAnnotations(row, "token"))
    assert(new LightPipeline(model).getStages.toSeq == model.stages.toSeq)
  }

  test("threads share a light pipeline") {
    val light = new LightPipeline(model)
    val expected = light.fullAnnotate("Oil prices rose.")
    assert(java.util.stream.IntStream.range(0, 200).parallel().allMatch(_ =>
      light.fullAnnotate("Oil prices rose.") == expected
    ))
  }

  test("functions map, filter and explode annotations") {
    val result = model.transform(table)
    val business = result.filterByAnnotationsCol("class", _.exists(_.result == "Business"))
    assert(business.select("place").collect().map(_.getInt(0)).toSeq == Seq(0))
    val lengths =
      result.mapAnnotationsCol("token", "lengths", "number", (found: Seq[Annotation]) => found.map(_.result.length))
    assert(lengths.orderBy("place").select("lengths").collect().head.getSeq[Int](0).toSeq == Seq(3, 6, 4, 2, 4, 3, 6,
      1))
    val upper = result.mapAnnotationsCol(
      "token",
      "upper",
      "token",
      (found: Seq[Annotation]) => found.map(one => one.copy(result = one.result.toUpperCase))
    )
    assert(upper.schema("upper").metadata.getString("annotatorType") == "token")
    assert(Annotation.take(upper.orderBy("place"), "upper", 1).head.head.result == "OIL")
    val exploded = result.explodeAnnotationsCol("class", "one")
    assert(exploded.schema("one").metadata.getString("annotatorType") == "category")
    assert(Annotation.collect(exploded, "one").map(_.length).toSeq == Seq(1, 1, 1, 1))
    val seen = spark.sparkContext.longAccumulator
    result.eachAnnotationsCol("token", (found: Seq[Annotation]) => seen.add(found.size.toLong))
    assert(seen.sum == Annotation.collect(result, "token").map(_.length).sum)
  }

  test("pipelines that Spark NLP saved are read, from a zip and from a hub") {
    val archive = "albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip"
    val read = PretrainedPipeline.fromDisk(golden.resolve("models").resolve(archive).toString)
    val named = new PretrainedPipeline(golden.resolve("models").resolve(archive).toString, "en", null)
    assert(read.annotate("Oil prices rose.") == named.annotate("Oil prices rose."))
    assert(read.annotate(table, "text").columns.contains(read.model.stages.collect { case stage: Finisher =>
      stage.getOutputCols.head
    }.headOption.getOrElse("class")))
    assert(intercept[ColumnException](read.annotate(table, "headline")).getMessage == "there is no column `headline`")
    val old = PretrainedPipeline.fromDisk(
      golden.resolve("models/albert_tiny_sequence_classifier_news_pipeline_en_3.4.4_3.0_1700000000000.zip").toString
    )
    assert(old.model.stages.length >= 3)
    val patterns = TokenizerModel.load(golden.resolve("models/tokenizers/patterns").toString)
    assert(patterns.transform(document.transform(table)).select("token").count() == texts.size)
    assert(intercept[PipelineException](new PretrainedPipeline("ag_news")).getMessage.contains("it is a model"))
    assert(intercept[ModelNotFoundException](new PretrainedPipeline("no_such_pipeline")).getMessage.contains(
      "no_such_pipeline"
    ))
    assert(intercept[ModelNotFoundException](
      PretrainedPipeline.fromDisk("/nowhere")
    ).getMessage == "there is nothing at /nowhere")
  }

  test("published models are listed as Spark NLP lists them") {
    val listed = ResourceDownloader.models("albertforsequenceclassification", "en", null).split('\n')
    assert(listed.head.matches("[+-]+") && listed(1).matches("\\| Model +\\| lang \\| version +\\|"))
    assert(listed.exists(_.matches("\\| ag_news +\\| en +\\| built in +\\|")))
    assert(listed.exists(_.matches("\\| albert_base_sequence_classifier_ag_news +\\| en +\\| 3.4.0 +\\|")))
    assert(intercept[ParamException](ResourceDownloader.showPublicModels(null, null, "new")).getMessage.contains(
      "numbers such as 3.4.0"
    ))
    ResourceDownloader.clearCache("albert_base_sequence_classifier_ag_news")
  }

  test("a Java program has the same surface") {
    val archive = golden.resolve("models/albert_tiny_sequence_classifier_news_pipeline_en_5.5.3_3.0_1700000000000.zip")
    val found = JavaProgram.run(folder().resolve("saved").toString, archive.toString).asScala.toMap
    assert(found.map { case (name, value) => name -> value.toString } == Map(
      "version" -> "0.1.0",
      "classes" -> "World, Sports, Business, Sci/Tech",
      "label" -> "Sports",
      "end" -> "37",
      "scores" -> "5",
      "finished" -> "Business",
      "tokens" -> "Ministers|met|in|New York|to|end|the|war|.",
      "light" -> "World",
      "document" -> "Oil rose. 0 8 {sentence=0}",
      "empty" -> "0",
      "back" -> "Business",
      "exceptions" -> "New York",
      "pretrained" -> "[document, token, class]",
      "error" -> "true"
    ))
  }
}
