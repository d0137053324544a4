package albertine

import albertine.annotator._
import albertine.base.Finisher
import albertine.pretrained.PretrainedPipeline
import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.ml.PipelineStage
import org.apache.spark.sql.Row

import scala.collection.JavaConverters._

/**
 * Classes are Spark NLP's, of annotators and pipelines that it saved, as `crates/albertine/tests/spark_nlp.rs`
 * compares them.
 */
class GoldenClassSuite extends GoldenTest {
  private lazy val samples = lines("class_texts.jsonl").map(_.asText)

  /**
   * A line of the golden file: a model with its settings, over documents, over sentences, or in a pipeline of its own.
   */
  private final class Case(val line: JsonNode, val number: Int) {
    val model: String = line.get("model").asText
    val input: String = line.get("input").asText
    val params: Option[JsonNode] = Option(line.get("params")).filter(_.isObject)

    /** What Spark NLP gave for the first so many texts; nothing where it failed itself. */
    val classes: Option[Seq[JsonNode]] =
      Option(line.get("classes")).map(_.elements.asScala.toSeq).filter(_.forall(_.isArray))
    val batchSize: Int = param("batchSize").fold(8)(_.asInt)
    val coalesce: Boolean = param("coalesceSentences").exists(_.asBoolean)

    /** With ONNX, Spark NLP has sentences attend to the padding that the longest of their batch asks for. */
    val padded: Boolean = model == "annotator_onnx" || model.contains("sentence_pipeline")

    def param(name: String): Option[JsonNode] = params.flatMap(set => Option(set.get(name)))

    def token: String = s"token_${input}_${line.get("tokenizer").toString.hashCode.toHexString}"

    def tokenizer: Tokenizer =
      Tokenizer().setInputCols(input).setOutputCol(token).setValues(values(line.get("tokenizer")))

    def classifier: AlbertForSequenceClassification = {
      val stage =
        AlbertForSequenceClassification.load(saved(model)).setInputCols(input, token).setOutputCol(s"class$number")
      if (params.nonEmpty)
        // the golden run put back what the model was saved with
        stage.setBatchSize(8).setMaxSentenceLength(128).setCaseSensitive(false).setCoalesceSentences(
          false
        ).setActivation("softmax").setThreshold(0.5f)
      // set from Python, multilabel does nothing in Spark NLP
      stage.setValues(params.map(values).getOrElse(Map.empty) - "multilabel")
    }

    override def toString: String = s"$model $input ${line.get("params")} ${line.get("tokenizer")}"
  }

  private lazy val cases = lines("classes.jsonl").zipWithIndex.map { case (line, number) => new Case(line, number) }

  /** How the annotations of a text differ from Spark NLP's, if they do. */
  private def difference(
      of: Case,
      ours: Seq[Row],
      inputs: Seq[Row],
      tokens: Seq[Row],
      theirs: Seq[JsonNode]
  ): Option[String] = {
    val begins = (row: Row) => row.getInt(1)
    val withTokens = inputs.filter(input =>
      tokens.exists(token => begins(token) >= begins(input) && token.getInt(2) <= input.getInt(2))
    )
    // averages of several batches, and padding: Spark NLP's answer for a sentence depends on the others
    val incomparable =
      of.coalesce && withTokens.size > of.batchSize || of.padded && of.batchSize > 1 && withTokens.size > 1
    // from the second batch on, and behind sentences without tokens, classes have the spans of others there
    val shifted = withTokens.size > of.batchSize || withTokens.size < inputs.size
    if (incomparable) None
    else if (ours.size != theirs.size) Some(s"${ours.size} annotations instead of ${theirs.size}")
    else ours.zip(theirs).flatMap { case (one, other) =>
      val input = if (shifted) inputs(withTokens.indexWhere(begins(_) == begins(one)) % of.batchSize)
      else inputs.find(begins(_) == begins(one)).get
      val metadata = one.getMap[String, String](4)
      val place = (begins(input), input.getInt(2), input.getMap[String, String](4)("sentence"))
      val scores = other.get(4).asText.split(' ').map(_.toDouble)
      val own = GoldenClassSuite.Labels.flatMap(metadata.get(_)).map(_.toDouble)
      val close = own.size == scores.length && metadata.size == own.size + 1 && own.zip(scores).forall { case (a, b) =>
        math.abs(a - b) <= GoldenTest.Tolerance
      }
      val same =
        one.getString(0) == "category" && one.getString(3) == other.get(2).asText && one.getSeq[Float](5).isEmpty
      if (close && same && place == ((other.get(0).asInt, other.get(1).asInt, other.get(3).asText))) None
      else Some(s"$one instead of $other")
    }.headOption
  }

  private def compare(of: Case, classes: Seq[Seq[Row]], inputs: Seq[Seq[Row]], tokens: Seq[Seq[Row]]): Unit =
    for ((theirs, row) <- of.classes.get.zipWithIndex) {
      val fault = difference(of, classes(row), inputs(row), tokens(row), theirs.elements.asScala.toSeq)
      assert(fault.isEmpty, s"$of, text $row ${samples(row)}: ${fault.mkString}")
    }

  test("saved annotators give Spark NLP's classes with every setting") {
    val taken = cases.filter(one =>
      one.input != "pipeline" && one.classes.nonEmpty && !one.param("maxSentenceLength").exists(_.asInt == 1)
    )
    assert(taken.size == 28)
    val sentence = SentenceDetector().setInputCols("document").setOutputCol("sentence")
    // some at a time: rows of many columns are slow in Spark
    for (some <- taken.sortBy(_.classes.get.size).grouped(7)) {
      val tokenizers = some.groupBy(_.token).values.map(_.head.tokenizer)
      val stages = Seq[PipelineStage](document, sentence) ++ tokenizers ++ some.map(_.classifier)
      val columns =
        Seq("document", "sentence") ++ tokenizers.map(_.getOutputCol) ++ some.map(one => s"class${one.number}")
      val found = annotated(samples.take(some.map(_.classes.get.size).max), stages, columns)
      some.foreach(one => compare(one, found(s"class${one.number}"), found(one.input), found(one.token)))
    }
  }

  test("saved pipelines give Spark NLP's classes") {
    for (one <- cases if one.input == "pipeline" && one.classes.nonEmpty) {
      // annotations are compared, which a Finisher would take away
      val stages = PretrainedPipeline.fromDisk(saved(one.model)).model.stages.toSeq.filterNot(_.isInstanceOf[Finisher])
      val classifier = stages.collectFirst { case stage: AlbertForSequenceClassification => stage }.get
      val input = classifier.getInputCols.find(_ != "token").get
      val found = annotated(samples.take(one.classes.get.size), stages, Seq(classifier.getOutputCol, input, "token"))
      compare(one, found(classifier.getOutputCol), found(input), found("token"))
    }
  }

  test("what fails in Spark NLP, and a limit that has no room for a token, is refused or works better") {
    val (failed, works) = cases.filter(_.classes.isEmpty).partition(_.input != "pipeline")
    def refused(one: Case) = intercept[ParamException](annotated(
      samples.take(1),
      Seq(document, one.tokenizer, one.classifier),
      Nil
    )).getMessage
    assert(failed.map(refused) == Seq(
      "AlbertForSequenceClassification has the parameter activation set to \"tanh\", expected softmax or sigmoid"
    ))
    // a pipeline of 3.4.4, which 5.5.3 cannot read any more
    assert(works.map(one => PretrainedPipeline.fromDisk(saved(one.model)).annotate("Oil prices rose.").size) == Seq(3))
    // Spark NLP reads the same two pieces as with 2: here it is a slip of the finger
    val short = cases.filter(_.param("maxSentenceLength").exists(_.asInt == 1))
    assert(short.map(refused).forall(_.contains("must lie between 2 and")) && short.size == 1)
  }
}

object GoldenClassSuite {

  /** The labels of the tiny models, in the order of their scores. */
  val Labels: Seq[String] = Seq("World", "Sports", "Business", "Sci/Tech")
}
