package albertine

import albertine.annotator._
import albertine.internal.spark.Annotator
import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.ml.PipelineStage
import org.apache.spark.sql.Row

import scala.collection.JavaConverters._

/** Texts, sentences and tokens are Spark NLP's, field by field. */
@Once
class GoldenTextSuite extends GoldenTest {
  private type Span = (Int, Int, String, String)

  /** An annotation as the golden files have it; nothing else is in one. */
  private def span(kind: String)(annotation: Row): Span = {
    val metadata = annotation.getMap[String, String](4)
    assert(annotation.getString(0) == kind && metadata.size == 1 && annotation.getSeq[Float](5).isEmpty)
    (annotation.getInt(1), annotation.getInt(2), metadata("sentence"), annotation.getString(3))
  }

  private def spans(text: String, json: JsonNode): Seq[Span] = json.elements.asScala.toSeq.map { one =>
    val (begin, end) = (one.get(0).asInt, one.get(1).asInt)
    (begin, end, one.get(2).asText, if (one.size > 3) one.get(3).asText else text.substring(begin, end + 1))
  }

  private lazy val rows = lines("annotators.jsonl")
  private lazy val awkward = rows.map(_.get("text").asText)

  test("sentences and tokens of 2,000 awkward texts are Spark NLP's") {
    assert(rows.size == 2000)
    val sentence = SentenceDetector().setInputCols("document").setOutputCol("sentence")
    val within = Tokenizer().setInputCols("sentence").setOutputCol("within")
    val golden = Map("sentence" -> "sentences", "token" -> "tokens", "within" -> "sentence_tokens")
    val found = annotated(awkward, Seq(document, sentence, tokenizer, within), golden.keys.toSeq)
    for ((column, name) <- golden; (ours, row) <- found(column).zip(rows)) {
      val theirs = Option(row.get(name)).getOrElse(row.get("tokens"))
      val kind = if (column == "sentence") "document" else "token"
      assert(ours.map(span(kind)) == spans(row.get("text").asText, theirs), row)
    }
  }

  test("texts are cleaned up as Spark NLP does it") {
    val cleaned = lines("cleanup.jsonl")
    val modes = Seq("disabled", "inplace", "inplace_full", "shrink", "shrink_full", "each", "each_full", "delete_full")
    assert(cleaned.size == 2000 && cleaned.flatMap(_.fieldNames.asScala).toSet == modes.tail.toSet + "text")
    val found = annotated(
      cleaned.map(_.get("text").asText),
      modes.map(mode => document.setOutputCol(mode).setCleanupMode(mode)),
      modes
    )
    for (mode <- modes; (ours, row) <- found(mode).zip(cleaned)) {
      val text = Option(row.get(mode)).getOrElse(row.get("text")).asText
      assert(ours.map(span("document")) == Seq((0, text.length - 1, "0", text)), row)
    }
  }

  /** How what Spark NLP gives differs from ours; `docs/spark-nlp.md` says why it does. */
  private def difference(text: String, theirs: JsonNode, ours: Seq[Span]): Option[String] =
    if (!theirs.isArray) Some("error")
    else {
      val found = spans(text, theirs)
      // half a character is written as a question mark
      val halves = found.exists(_._4.exists(c => c == '?' || Character.isSurrogate(c)))
      if (found == ours) None
      else if (found.map(_._4) == ours.map(_._4)) Some("offsets")
      else if (halves && found.size > ours.size) Some("halves")
      else Some("unknown")
    }

  /** Holds each setting of a stage to the golden file: how often which difference was found. */
  private def variants(file: String, stage: () => Annotator, kind: String, usual: String): Map[String, Int] = {
    val (refused, taken) = lines(file).partition(isRefused)
    for (variant <- refused) {
      val set =
        Seq[PipelineStage](document, stage().setValues(values(variant.get("params"))).asInstanceOf[PipelineStage])
      assert(intercept[ParamException](annotated(awkward.take(1), set, Nil)).getMessage.contains(
        "each must be one character"
      ))
    }
    val columns = taken.indices.map(index => s"column$index")
    val stages = taken.zip(columns).map { case (variant, column) =>
      stage().setValues(values(variant.get("params")) + ("outputCol" -> s""""$column"""")).asInstanceOf[PipelineStage]
    }
    // some at a time: rows of many columns are slow in Spark
    val found = stages.zip(columns).grouped(8).map { some =>
      annotated(awkward.take(taken.map(_.get("texts").asInt).max), document +: some.map(_._1), some.map(_._2))
    }.reduce(_ ++ _)
    val differences = for {
      (variant, column) <- taken.zip(columns)
      differ = variant.get("differ").elements.asScala.map(pair => pair.get(0).asInt -> pair.get(1)).toMap
      index <- 0 until variant.get("texts").asInt
      difference <- difference(
        awkward(index),
        differ.getOrElse(index, rows(index).get(usual)),
        found(column)(index).map(span(kind))
      )
    } yield {
      assert(difference != "unknown", s"${variant.get("params")} ${awkward(index)}: ${found(column)(index)}")
      difference
    }
    differences.groupBy(identity).map { case (name, all) => name -> all.size }
  }

  /**
   * The one setting that the library's own golden test gives past the check of parameters: a character of two units.
   */
  private def isRefused(variant: JsonNode): Boolean =
    Option(variant.get("params").get("contextChars")).exists(_.elements.asScala.exists(_.asText.length > 1))

  // as many differences as in crates/text/tests/golden_spark_nlp.rs

  test("each setting of the tokenizer does what Spark NLP's does") {
    assert(variants("tokenizer.jsonl", () => tokenizer, "token", "tokens") == Map(
      "error" -> 2,
      "offsets" -> 117,
      "halves" -> 7
    ))
  }

  test("each setting of the sentence detector does what Spark NLP's does") {
    val detector = () => SentenceDetector().setInputCols("document")
    assert(variants("sentence_detector.jsonl", detector, "document", "sentences") == Map("offsets" -> 333))
  }
}
