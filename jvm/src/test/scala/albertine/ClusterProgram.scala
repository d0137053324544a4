package albertine

import albertine.annotator._
import albertine.base._
import org.apache.spark.ml.Pipeline
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.functions._

/** A job on a cluster of processes, one of which it kills while they work; then the example of a job. */
object ClusterProgram {
  def main(arguments: Array[String]): Unit = {
    val spark = SparkSession.builder().getOrCreate()
    val rows = arguments(1).toLong
    val text = concat(lit("oil prices and shares fell again on monday, report "), col("id").cast("string"))
    val table = spark.range(0, rows, 1, 12).select(col("id"), text.as("text"))
    val sequence =
      AlbertForSequenceClassification.load(arguments(0)).setInputCols("token", "document").setOutputCol("class")
    val stages = Array(
      DocumentAssembler().setInputCol("text").setOutputCol("document"),
      Tokenizer().setInputCols("document").setOutputCol("token"),
      sequence
    )
    val model = new Pipeline().setStages(stages).fit(table)
    val killer = new Thread(() => {
      // once the first tasks are done
      while (spark.sparkContext.statusTracker.getJobIdsForGroup(null).isEmpty || finished(spark) < 2) Thread.sleep(100)
      executors().headOption.foreach { pid =>
        new ProcessBuilder("kill", "-9", pid).start().waitFor()
        println(s"killed executor $pid")
      }
    })
    killer.setDaemon(true)
    killer.start()
    val found = model.transform(table).selectExpr("id", "class[0].result", "class[0].metadata").collect()
    val expected = new LightPipeline(model).fullAnnotate("oil prices and shares fell again on monday, report 7")(
      "class"
    ).head.asInstanceOf[Annotation]
    val seventh = found.find(_.getLong(0) == 7).get
    val same =
      seventh.getString(1) == expected.result && seventh.getMap[String, String](2).toMap == expected.metadata.toMap
    println(
      s"rows ${found.length}, distinct ${found.map(_.getLong(0)).distinct.length}, " +
        s"without a class ${found.count(_.isNullAt(1))}, as on the driver $same"
    )
    // the example of a job, which ends the session; it is in no package, and so has no name here
    table.limit(100).write.parquet(arguments(2))
    Class.forName("Classify").getMethod("main", classOf[Array[String]]).invoke(
      null,
      Array(arguments(2), "text", arguments(3))
    )
  }

  private def finished(spark: SparkSession): Int =
    spark.sparkContext.statusTracker.getActiveStageIds().flatMap(spark.sparkContext.statusTracker.getStageInfo(_)).map(
      _.numCompletedTasks()
    ).sum

  /** The processes of executors that this one started. */
  private def executors(): Seq[String] =
    new java.io.File("/proc").list().toSeq.filter(_.forall(_.isDigit)).filter { pid =>
      val read = (name: String) =>
        scala.util.Try(scala.io.Source.fromFile(s"/proc/$pid/$name", "ISO-8859-1").mkString).getOrElse("")
      read("cmdline").contains("CoarseGrainedExecutorBackend") && read("stat").split("\\) ").last.split(' ')(1) == self
    }

  private lazy val self: String = new java.io.File("/proc/self").getCanonicalFile.getName
}
