package albertine

import albertine.annotator._
import albertine.base._
import org.apache.spark.ml.{Pipeline, PipelineModel}
import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.functions._

import java.nio.file.{Files, Path, Paths}
import scala.collection.JavaConverters._
import scala.util.Try

/** A JVM with the heap of a small executor, which prints what its jobs cost: a name and a number in each line.
  *
  * Its arguments are three copies of a saved stage: a model that was loaded before is not loaded again.
  */
object ExecutorProgram {
  def main(arguments: Array[String]): Unit = {
    val eight = session("local[8]")
    val Seq(first, second, third) = arguments.toSeq.map(model(eight, _)): @unchecked
    classes(first, texts(eight, rows = 80, tasks = 1)).collect()
    say("read by one task", read(classes(second, texts(eight, rows = 80, tasks = 1)).collect()))
    say("read by eight tasks", read(classes(third, texts(eight, rows = 80, tasks = 8)).collect()))

    val memory = (1 to 100).map { _ =>
      classes(first, texts(eight, rows = 160, tasks = 8)).collect()
      resident()
    }
    say("grown over 60 jobs", memory.takeRight(10).max - memory.slice(30, 40).max)

    // a text that the heap does not hold twice
    val huge = eight.range(1).select(expr("repeat(concat('oil', id), 30000000)").as("text"))
    val error = Try(classes(first, huge).collect()).failed.get
    println(s"too large: ${error.getMessage.linesIterator.find(_.contains("MemoryException")).getOrElse(error)}")
    say("rows after that", classes(first, texts(eight, rows = 80, tasks = 8)).collect().length.toLong)
    eight.stop()

    val two = session("local[2]", "spark.task.cpus" -> "2")
    classes(first, texts(two, rows = 80, tasks = 1)).collect()
    val before = threads()
    classes(first, texts(two, rows = 8000, tasks = 1)).collect()
    threads().foreach { case (name, ticks) => say(s"ticks of $name", ticks - before.getOrElse(name, 0L)) }
    two.stop()
  }

  private def session(master: String, settings: (String, String)*): SparkSession = {
    val builder = SparkSession.builder().master(master).config("spark.ui.enabled", "false").config(
      "spark.sql.shuffle.partitions",
      "2"
    )
    settings.foldLeft(builder) { case (builder, (name, value)) => builder.config(name, value) }.getOrCreate()
  }

  private def say(name: String, value: Long): Unit = println(s"$name: $value")

  /** Texts that are all different. */
  private def texts(spark: SparkSession, rows: Long, tasks: Int): DataFrame = {
    val text = concat(lit("oil prices and shares fell again on monday, report "), col("id").cast("string"))
    spark.range(0, rows, 1, tasks).select(text.as("text"))
  }

  private def model(spark: SparkSession, stage: String): PipelineModel = {
    val document = DocumentAssembler().setInputCol("text").setOutputCol("document")
    val token = Tokenizer().setInputCols("document").setOutputCol("token")
    val sequence = AlbertForSequenceClassification.load(stage).setInputCols("token", "document").setOutputCol("class")
    new Pipeline().setStages(Array(document, token, sequence)).fit(texts(spark, rows = 1, tasks = 1))
  }

  private def classes(model: PipelineModel, table: DataFrame): DataFrame = model.transform(table).select("class.result")

  /** The bytes that this process reads from files while it works. */
  private def read(work: => Any): Long = {
    def now = number(Paths.get("/proc/self/io"), "rchar:")
    val before = now
    work
    now - before
  }

  private def resident(): Long = number(Paths.get("/proc/self/status"), "VmRSS:") * 1024

  private def number(file: Path, name: String): Long =
    Files.readAllLines(file).asScala.find(_.startsWith(name)).get.replaceAll("\\D", "").toLong

  /** The time on a processor of each thread that computes for a session, by its name. */
  private def threads(): Map[String, Long] = Paths.get("/proc/self/task").toFile.listFiles().flatMap { task =>
    Try(new String(Files.readAllBytes(task.toPath.resolve("stat")))).toOption.map { stat =>
      val fields = stat.split("\\) ").last.split(' ')
      stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) -> (fields(11).toLong + fields(12).toLong)
    }
  }.filter(_._1.startsWith("albertine-")).filterNot(_._1.startsWith("albertine-ca")).toMap
}
