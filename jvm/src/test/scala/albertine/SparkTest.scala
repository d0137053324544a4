package albertine

import albertine.annotator._
import albertine.base._
import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.apache.spark.ml.PipelineStage
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.scalatest.funsuite.AnyFunSuite

import java.nio.file.{Files, Path, Paths}
import scala.collection.JavaConverters._

/** What the tests of stages share: one session, texts, stages. */
abstract class SparkTest extends AnyFunSuite {
  lazy val spark: SparkSession = SparkTest.session

  /** Where the classes of the tests are. */
  def classes: Path = Paths.get(classOf[SparkTest].getProtectionDomain.getCodeSource.getLocation.toURI)

  /** The root of the repository. */
  val root: Path = Paths.get(sys.props("albertine.root"))

  /** What Spark NLP gave, and models that it saved. */
  val golden: Path = root.resolve("testdata/spark_nlp")

  def lines(name: String): Seq[JsonNode] =
    Files.readAllLines(golden.resolve(name)).asScala.toSeq.map(SparkTest.json.readTree(_))

  /** Texts and what the built-in model takes them for; blank ones have no class. */
  val texts: Seq[(String, Option[String])] = Seq(
    "Oil prices rose as OPEC cut output." -> Some("Business"),
    "The striker scored twice in the final." -> Some("Sports"),
    "Ministers met in Geneva to end the war." -> Some("World"),
    "The new processor doubles the speed of laptops." -> Some("Sci/Tech"),
    "" -> None,
    "   " -> None,
    (null: String) -> None
  )

  /** A table of the texts, with their places. */
  def table: DataFrame =
    spark.createDataFrame(texts.zipWithIndex.map { case ((text, _), place) => (place, text) }).toDF("place", "text")

  def document: DocumentAssembler = DocumentAssembler().setInputCol("text").setOutputCol("document")
  def tokenizer: Tokenizer = Tokenizer().setInputCols("document").setOutputCol("token")
  def sequence: AlbertForSequenceClassification =
    AlbertForSequenceClassification.pretrained().setInputCols("token", "document").setOutputCol("class")

  /** The stages of the published example, with the built-in model. */
  def stages: Array[PipelineStage] = Array(document, tokenizer, sequence)

  /** The label of each text of a classified table, in the order of the places. */
  def labels(result: DataFrame): Seq[Option[String]] =
    result.orderBy("place").selectExpr("class.result as label").collect().toSeq.map(_.getSeq[String](0).headOption)

  /** A folder that goes when the tests end. */
  def folder(): Path = Files.createTempDirectory(SparkTest.scratch, "")

  /**
   * What a program prints in the Python of this line's environment; none on a class path alone, where there is no
   * Python.
   */
  def python(program: String, arguments: String*): String = {
    val interpreter = sys.env.getOrElse("ALBERTINE_TEST_PYTHON", "")
    assume(interpreter.nonEmpty, "this run has no Python")
    val process = new ProcessBuilder(Seq(interpreter, "-c", program) ++ arguments: _*).redirectErrorStream(true)
    process.environment().remove("SPARK_HOME")
    val started = process.start()
    val said = scala.io.Source.fromInputStream(started.getInputStream, "UTF-8").mkString
    assert(started.waitFor() == 0, said)
    said
  }

  /** Headlines, all of them different. */
  def headlines(count: Int): Seq[String] = {
    val who = Seq(
      "Oil",
      "The striker",
      "NASA",
      "The minister",
      "Google",
      "A bank",
      "The team",
      "Scientists",
      "Shares",
      "The president"
    )
    val did = Seq(
      "fell",
      "won again",
      "met rivals",
      "cut jobs",
      "found water",
      "signed a deal",
      "lost the final",
      "launched a probe"
    )
    val where = Seq("in London", "on Wall Street", "in Baghdad", "at home", "over Mars", "in Athens", "in Tokyo")
    (0 until count).map(n => s"${who(n % 10)} ${did(n / 10 % 8)} ${where(n / 80 % 7)}, report $n")
  }

  /** The scores that the command gives for texts, label by label, as their shortest decimals. */
  def commandScores(texts: Seq[String], model: String = "ag_news"): Seq[Option[(String, Map[String, Float])]] = {
    val (input, output) = (folder().resolve("texts.jsonl"), folder().resolve("scores.jsonl"))
    val rows = texts.map(text => SparkTest.json.writeValueAsString(Map("text" -> text).asJava))
    Files.write(input, rows.asJava)
    val command =
      Seq(root.resolve("target/release/albertine").toString, "classify", "--model", model, "--all-scores", "--quiet")
    val process =
      new ProcessBuilder((command ++ Seq("--input", input.toString, "--output", output.toString)).asJava).inheritIO()
    assert(process.start().waitFor() == 0)
    Files.readAllLines(output).asScala.toSeq.map(SparkTest.json.readTree(_)).map { row =>
      Option(row.get("label")).filterNot(_.isNull).map { label =>
        label.asText -> row.get("scores").fields.asScala.map(field => field.getKey -> field.getValue.floatValue).toMap
      }
    }
  }
}

object SparkTest {
  val json = new ObjectMapper()

  /** A folder for all that tests write. */
  private lazy val scratch: Path = {
    val made = Files.createTempDirectory("albertine-test-")
    sys.addShutdownHook(albertine.internal.spark.Fetched.remove(made))
    made
  }

  lazy val session: SparkSession = SparkSession
    .builder()
    .appName("albertine's tests")
    .master("local[4]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "2")
    .config("spark.sql.warehouse.dir", scratch.resolve("warehouse").toString)
    .getOrCreate()
}
