package albertine.internal.spark

import albertine.ColumnException
import albertine.internal.{Message, NativePipeline}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.types._

/** What stages make of the columns of a table. */
private[albertine] object Schemas {

  /** The type of an annotation, as Spark NLP has it. */
  val annotation: StructType = StructType(
    Seq(
      StructField("annotatorType", StringType, nullable = true),
      StructField("begin", IntegerType, nullable = false),
      StructField("end", IntegerType, nullable = false),
      StructField("result", StringType, nullable = true),
      StructField("metadata", MapType(StringType, StringType, valueContainsNull = true), nullable = true),
      StructField("embeddings", ArrayType(FloatType, containsNull = false), nullable = true)
    )
  )

  /** The type of the annotations of a row. */
  val annotations: ArrayType = ArrayType(annotation, containsNull = true)

  /**
   * The columns and rows of a table after stages.
   *
   * @param columns for each column its place among those before, or -1 for one that a stage writes
   * @param multiplied whether a row may become several, or none
   */
  final case class Output(schema: StructType, columns: Array[Int], multiplied: Boolean)

  /** What a pipeline makes of a table.
    *
    * @throws albertine.ColumnException a stage lacks a column
    */
  def output(pipeline: NativePipeline, schema: StructType): Output = {
    val answer = pipeline.output(schema.json)
    val multiplied = answer.readFlag()
    val columns = Array.fill(answer.readInt())(column(answer, schema))
    val fields = columns.map(_._1)
    if (!isCaseSensitive) refuseSameNames(fields, schema)
    Output(StructType(fields), columns.map(_._2), multiplied)
  }

  private def column(answer: Message.Reader, before: StructType): (StructField, Int) = {
    val name = answer.readText()
    answer.readInt() match {
      case -1 =>
        val nullable = answer.readFlag()
        val annotator = answer.readText()
        val kind = DataType.fromJson(answer.readText())
        val metadata = new MetadataBuilder()
        if (annotator == null) (StructField(name, kind, nullable), -1)
        else (StructField(name, annotations, nullable, metadata.putString("annotatorType", annotator).build()), -1)
      case index => (before(index), index)
    }
  }

  /** Spark takes names that differ in case alone for the same, unless it is told otherwise. */
  private def refuseSameNames(fields: Array[StructField], before: StructType): Unit = {
    val known = before.fieldNames.toSet
    val same = fields.groupBy(_.name.toLowerCase(java.util.Locale.ROOT)).values.filter(_.length > 1)
    for (names <- same; name <- names.map(_.name) if !known(name); other <- names.map(_.name) if other != name)
      throw new ColumnException(
        s"column `$name` would differ from `$other` in case alone, which Spark takes for the same name"
      )
  }

  def isCaseSensitive: Boolean =
    SparkSession.getActiveSession.orElse(SparkSession.getDefaultSession).exists(_.conf.get(
      CaseSensitive,
      "false"
    ) == "true")

  private val CaseSensitive = "spark.sql.caseSensitive"
}
