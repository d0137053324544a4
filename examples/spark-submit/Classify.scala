// A job for a cluster: classifies a table of texts, and writes its rows with their labels and scores.
//
//   scalac -classpath "$(ls $SPARK_HOME/jars/*.jar | tr '\n' ':')albertine-spark_2.12-0.1.0.jar" -d classify.jar Classify.scala
//   spark-submit --class Classify --jars albertine-spark_2.12-0.1.0.jar classify.jar news.parquet text labels
//
// The compiler is that of the line of Spark: 2.12 here, 2.13 for Spark 4. A fourth argument names a model.

import albertine.annotator._
import albertine.base._
import org.apache.spark.ml.Pipeline
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.functions._

object Classify {
  def main(arguments: Array[String]): Unit = {
    require(arguments.length >= 3, "usage: Classify TABLE COLUMN OUTPUT [MODEL]")
    val (input, text, output) = (arguments(0), arguments(1), arguments(2))
    val spark = SparkSession.builder().appName("classify").getOrCreate()
    val table = spark.read.parquet(input)

    val document = DocumentAssembler().setInputCol(text).setOutputCol("document")
    val token = Tokenizer().setInputCols("document").setOutputCol("token")
    val sequence = AlbertForSequenceClassification
      .pretrained(arguments.lift(3).getOrElse("ag_news"))
      .setInputCols("document", "token")
      .setOutputCol("class")
    val model = new Pipeline().setStages(Array(document, token, sequence)).fit(table)

    val best = element_at(col("class"), 1)
    model
      .transform(table)
      .withColumn("label", best.getField("result"))
      .withColumn("score", element_at(best.getField("metadata"), best.getField("result")).cast("float"))
      .drop("document", "token", "class")
      .write
      .parquet(output)
    spark.stop()
  }
}
