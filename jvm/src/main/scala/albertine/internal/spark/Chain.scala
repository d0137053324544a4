package albertine.internal.spark

import albertine.ColumnException
import org.apache.spark.sql.{Column, DataFrame, Dataset, Encoder, Encoders, Row, SparkSession}
import org.apache.spark.sql.types._
import org.apache.spark.storage.StorageLevel

import java.util.{Collections, Locale, WeakHashMap}

/** Stages that follow one another over a table, which are one pass over its rows. */
private final class Chain(val began: Dataset[_], val stages: Seq[Spec])

private[albertine] object Chain {

  /** The tables that stages gave, and how: a stage over one of them begins where that began. */
  private val known = Collections.synchronizedMap(new WeakHashMap[Dataset[_], Chain])

  /** A table with the columns that stages add: nothing is done before an action.
    *
    * @throws albertine.ColumnException a stage lacks a column
    */
  def transform(stages: Seq[Spec], table: Dataset[_]): DataFrame = within(table.sparkSession) {
    val chain = Option(known.get(table)).filterNot(_ => isCached(table)).getOrElse(new Chain(table, Nil))
    val all = new Chain(chain.began, chain.stages ++ asSpelled(stages, table.columns.toSeq))
    val result = run(all)
    known.put(result, all)
    result
  }

  private def isCached(table: Dataset[_]): Boolean = !table.isStreaming && table.storageLevel != StorageLevel.NONE

  private def run(chain: Chain): DataFrame = {
    val table = chain.began
    val session = table.sparkSession
    val schema = table.schema
    refuseTwice(schema)
    val pipeline = Spec.pipeline(chain.stages)
    val output = Schemas.output(pipeline, schema)
    val read = chain.stages.flatMap(_.reads).distinct.map(schema.fieldNames.indexOf(_)).filter(_ >= 0).sorted
    read.foreach(index => refuseUnreadable(schema(index)))
    val number = if (output.multiplied) Some(free("row", output.schema.fieldNames.toSet ++ schema.fieldNames)) else None
    val narrow = StructType(read.map(schema(_)) ++ number.map(StructField(_, IntegerType, nullable = false)))
    val written = narrowOutput(Schemas.output(pipeline, narrow), number)
    pipeline.close()
    val places = written.flatMap { case (name, _) => name }.zipWithIndex.toMap
    val columns = output.columns.zip(output.schema.fieldNames).map {
      case (-1, name) => -1 - places(name)
      case (index, _) => index
    }
    val shipment = new Shipment(session)
    val shipped = chain.stages.map(stage => ShippedStage(stage.name, stage.params, stage.model.map(shipment.of)))
    val limits = chain.stages.flatMap(stage => stage.model.map(model => limit(stage, model.facts().maxSentenceLength)))
    val task = new Task(
      Task.version,
      shipped.toArray,
      narrow.json,
      read.map(index => (index, schema(index).dataType)).toArray,
      number,
      written.map(_._2).toArray,
      columns,
      Truncation.of(limits, session.sparkContext)
    )
    // under names of no meaning: those of tables may hold dots, or differ in case alone
    val plain = StructType(output.schema.zipWithIndex.map { case (field, index) =>
      field.copy(name = s"c$index", metadata = Metadata.empty)
    })
    val rows = table.toDF().as[Row](encoder(schema, session)).mapPartitions(task)(encoder(plain, session))
    rows.select(output.schema.zipWithIndex.map { case (field, index) => restored(rows, index, field) }: _*)
  }

  /** A column with the name, the type and the metadata that it had. */
  private def restored(rows: Dataset[Row], index: Int, field: StructField): Column = {
    val column = rows.col(s"c$index")
    val typed = if (rows.schema(index).dataType == field.dataType) column else column.cast(field.dataType)
    typed.as(field.name, field.metadata)
  }

  /** The columns that come back from the native library: name and type, neither of the number of a row. */
  private def narrowOutput(output: Schemas.Output, number: Option[String]): Seq[(Option[String], Option[DataType])] =
    output.schema.zip(output.columns).collect {
      case (field, -1)                               => (Some(field.name), Some(field.dataType))
      case (field, _) if number.contains(field.name) => (None, None)
    }

  private def limit(stage: Spec, model: Int): Int = stage.params.get("maxSentenceLength").fold(model)(_.toInt)

  private def free(name: String, taken: Set[String]): String =
    Iterator.iterate(name)("_" + _).find(name => !taken.exists(_.equalsIgnoreCase(name))).getOrElse(name)

  private def refuseTwice(schema: StructType): Unit =
    schema.fieldNames.groupBy(identity).collectFirst {
      case (name, same) if same.length > 1 =>
        throw new ColumnException(s"the table has several columns `$name`: rename them, or drop all but one")
    }

  private def refuseUnreadable(field: StructField): Unit =
    if (!ColumnWriter.takes(field.dataType))
      throw new ColumnException(
        s"column `${field.name}` of type ${field.dataType.simpleString} cannot be read by a stage: cast it before"
      )

  /** Stages that read columns under the names that these have, where Spark takes upper and lower case for the same. */
  def asSpelled(stages: Seq[Spec], columns: Seq[String]): Seq[Spec] = {
    val names = columns ++ stages.flatMap(_.writes)
    if (Schemas.isCaseSensitive || stages.flatMap(_.reads).forall(names.contains)) stages
    else {
      val known = names.reverse.map(name => name.toLowerCase(Locale.ROOT) -> name).toMap
      val spelled =
        (name: String) => if (names.contains(name)) name else known.getOrElse(name.toLowerCase(Locale.ROOT), name)
      stages.map(_.reading(spelled))
    }
  }

  /** Sessions like others but in that their rows hold dates and times of Java 8: those of `java.sql` have no calendar
    * before 1582 that agrees with Spark's. */
  private val sessions = Collections.synchronizedMap(new WeakHashMap[SparkSession, SparkSession])

  private def encoder(schema: StructType, session: SparkSession): Encoder[Row] =
    within(sessions.computeIfAbsent(session, modern(_)))(Encoders.row(schema))

  /** What `work` gives under the settings of a session, as Spark works on its tables. */
  private def within[T](session: SparkSession)(work: => T): T = {
    val active = SparkSession.getActiveSession
    SparkSession.setActiveSession(session)
    try work
    finally active.fold(SparkSession.clearActiveSession())(SparkSession.setActiveSession)
  }

  private def modern(session: SparkSession): SparkSession = {
    val modern = session.newSession()
    modern.conf.set("spark.sql.datetime.java8API.enabled", "true")
    modern
  }
}
