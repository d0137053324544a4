package albertine

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.ml.{Pipeline, PipelineStage}
import org.apache.spark.sql.{DataFrame, Row}

import java.nio.file.{Files, Path}
import scala.collection.JavaConverters._
import scala.util.{Success, Try}

/** What the suites over Spark NLP's golden files share. */
abstract class GoldenTest extends SparkTest {

  /** Models and pipelines that Spark NLP saved. */
  val models: Path = golden.resolve("models")

  /** A model, as a folder or an archive. */
  def saved(name: String): String = Seq(s"$name.zip", name).map(models.resolve(_)).find(Files.exists(_)).get.toString

  /** Where we differ on purpose: a list of `refusals.json`, by which the library is held to the same. */
  def known(list: String): Seq[JsonNode] =
    SparkTest.json.readTree(golden.resolve("refusals.json").toFile).get(list).elements.asScala.toSeq

  /** Whether an error has the words and the kind that a line of that file names. */
  def asKnown(line: JsonNode, error: Throwable): Boolean =
    error.getMessage.contains(line.get("albertine").asText) &&
      error.getClass.getName == s"albertine.${line.get("kind").asText}Exception"

  /** Parameters as stages take them. */
  def values(params: JsonNode): Map[String, String] =
    params.fields.asScala.map(field => field.getKey -> field.getValue.toString).toMap

  /** A table of texts, with their places. */
  def frame(texts: Seq[String]): DataFrame = spark.createDataFrame(texts.zipWithIndex.map(_.swap)).toDF("place", "text")

  /** What stages write, column by column, for each text in the order of the texts. */
  def annotated(texts: Seq[String], stages: Seq[PipelineStage], columns: Seq[String]): Map[String, Seq[Seq[Row]]] = {
    val table = frame(texts)
    val rows = new Pipeline().setStages(stages.toArray).fit(table).transform(table).select(
      "place",
      columns: _*
    ).collect().sortBy(_.getInt(0))
    assert(rows.length == texts.size)
    columns.map(column => column -> rows.toSeq.map(_.getSeq[Row](1 + columns.indexOf(column)).toSeq)).toMap
  }

  /**
   * Whether two values are the same but for the last digits of probabilities and the order in which a JVM prints maps.
   */
  def same(ours: JsonNode, theirs: JsonNode): Boolean =
    if (ours == null || theirs == null) false
    else if (ours.isArray && theirs.isArray) {
      val sorted = (values: JsonNode) => {
        val all = values.elements.asScala.toSeq
        if (all.nonEmpty && all.forall(_.has("_1"))) all.sortBy(_.get("_1").asText) else all
      }
      ours.size == theirs.size && sorted(ours).zip(sorted(theirs)).forall { case (a, b) => same(a, b) }
    } else if (ours.isObject && theirs.isObject)
      ours.size == theirs.size && ours.fieldNames.asScala.forall(name => same(ours.get(name), theirs.get(name)))
    else if (ours.isTextual && theirs.isTextual) ours.asText == theirs.asText || sameText(ours.asText, theirs.asText)
    else ours == theirs

  private def sameText(ours: String, theirs: String): Boolean = (Try(ours.toDouble), Try(theirs.toDouble)) match {
    case (Success(a), Success(b)) => math.abs(a - b) <= GoldenTest.Tolerance
    case _                        =>
      // what a Finisher makes of metadata: pairs in a text
      val pairs = (text: String) =>
        text.split("[#@/|]").filter(_.contains("->")).map(_.split("->", 2)).map(two => two(0) -> two(1)).sortBy(_._1)
      val (a, b) = (pairs(ours), pairs(theirs))
      a.nonEmpty && a.length == b.length && a.zip(b).forall { case (x, y) =>
        x._1 == y._1 && (x._2 == y._2 || sameText(x._2, y._2))
      }
  }
}

object GoldenTest {

  /** How far a probability may be from Spark NLP's. */
  val Tolerance = 1e-4
}
