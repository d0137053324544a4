package albertine.internal.spark

import albertine.{AlbertineException, MemoryException}
import albertine.internal.{Message, NativeLibrary}
import org.apache.spark.TaskContext
import org.apache.spark.TaskKilledException
import org.apache.spark.sql.Row
import org.apache.spark.sql.types.DataType

/**
 * What each task does with the rows of its partition: windows of them go through the stages together, and come back in
 * their order with every column.
 *
 * Its version of serialization stays, so that a task of another jar comes as far as to be told that it is one.
 *
 * @param version of the driver's jar
 * @param schema of the columns that stages read, as JSON
 * @param reads the places and types of those columns in a row
 * @param number whether stages may multiply rows, so that each is to carry its number in a column of its own
 * @param written the types of the columns that come back; that of the row's number has none
 * @param columns of a row that comes back: the place in the row that it was, or -1 - the place among those written
 */
@SerialVersionUID(1L)
private[spark] final class Task(
    version: String,
    stages: Array[ShippedStage],
    schema: String,
    reads: Array[(Int, DataType)],
    number: Option[String],
    written: Array[Option[DataType]],
    columns: Array[Int],
    truncation: Truncation
) extends (Iterator[Row] => Iterator[Row])
    with Serializable {

  override def apply(rows: Iterator[Row]): Iterator[Row] = if (rows.isEmpty) Iterator.empty else new Windows(rows)

  private final class Windows(rows: Iterator[Row]) extends Iterator[Row] {
    private val context = Option(TaskContext.get())
    private val lease = at(context) {
      try Executor.lease(version, stages, schema, number, context.fold(1)(_.cpus()))
      catch { case _: OutOfMemoryError => throw noRoom("the heap has no room for the model") }
    }
    context.foreach(_.addTaskCompletionListener[Unit](_ => lease.release()))
    private val pace = new Pace
    private var first = 0L
    private var done: Iterator[Row] = Iterator.empty

    override def hasNext: Boolean = {
      while (!done.hasNext && rows.hasNext) done = window()
      if (!done.hasNext) lease.release()
      done.hasNext
    }

    override def next(): Row = if (hasNext) done.next() else Iterator.empty.next()

    /** The next rows, through the stages. */
    private def window(): Iterator[Row] =
      try {
        val writers = reads.map { case (_, kind) => ColumnWriter(kind) }
        val numbers = number.map(_ => ColumnWriter(org.apache.spark.sql.types.IntegerType))
        val taken = Array.newBuilder[Row]
        var count = 0
        while (rows.hasNext && pace.takes(count, writers)) {
          stopIfKilled()
          val row = rows.next()
          reads.indices.foreach(index => writers(index).add(row.get(reads(index)._1)))
          numbers.foreach(_.add(count))
          taken += row
          count += 1
        }
        val batch = new Message.Writer().put(count)
        writers.foreach(_.finish(batch))
        numbers.foreach(_.finish(batch))
        val answer = pace.timed(count)(at(context)(lease.run.transform(isKilled, first, batch)))
        first += count
        assemble(taken.result(), answer)
      } catch {
        case _: OutOfMemoryError => at(context)(throw noRoom(s"rows from $first on: the heap has no room for them"))
      }

    private def assemble(before: Array[Row], answer: Message.Reader): Iterator[Row] = {
      val count = answer.readInt()
      truncation.add(answer)
      var row: Int => Int = identity
      val values = written.map {
        case Some(kind) => Some(ColumnReader(answer, kind, count))
        case None =>
          val numbers = ColumnReader(answer, org.apache.spark.sql.types.IntegerType, count)
          row = index => numbers(index).asInstanceOf[Int]
          None
      }.collect { case Some(column) => column }
      (0 until count).iterator.map { index =>
        stopIfKilled()
        new WrittenRow(before(row(index)), columns, values, index)
      }
    }

    private def isKilled: java.util.function.BooleanSupplier = () => context.exists(_.isInterrupted())

    private def stopIfKilled(): Unit = if (context.exists(_.isInterrupted())) throw new TaskKilledException("cancelled")
  }

  /** In the place of an error for which, also as the cause of another, Spark ends an executor. */
  private def noRoom(what: String) = new MemoryException(s"$what: spark.executor.memory makes it larger")

  /** Tells of errors in which partition they are; rows are counted within it. */
  private def at[T](context: Option[TaskContext])(work: => T): T =
    try work
    catch {
      case _: albertine.CancelledException if context.exists(_.isInterrupted()) =>
        throw new TaskKilledException("cancelled")
      case error: AlbertineException =>
        throw context.fold(error)(task => error.at(s"partition ${task.partitionId()}, "))
    }
}

private[spark] object Task {

  /** The version that tasks are held to. */
  def version: String = NativeLibrary.version()
}

/** Sizes windows: to take about two seconds each, so that a killed task ends soon, and to need little memory. */
private[spark] final class Pace {
  private var rows = Pace.First

  /** Whether a window of so many rows, written to `columns`, takes another. */
  def takes(count: Int, columns: Array[ColumnWriter]): Boolean =
    count == 0 || (count < rows && columns.foldLeft(0L)(_ + _.size) < Pace.Bytes)

  /** What `work` gives for a window of so many rows; the next takes as long. */
  def timed[T](count: Int)(work: => T): T = {
    val start = System.nanoTime()
    val result = work
    val seconds = math.max((System.nanoTime() - start) / 1e9, 1e-6)
    rows = math.max(1, math.min(count * Pace.Seconds / seconds, Pace.Rows.toDouble).toInt)
    result
  }
}

private object Pace {
  val First = 256
  val Rows = 8192

  /** Of rows that cross: eight tasks with copies on the way have room in a heap. */
  val Bytes: Long = math.min(32L << 20, Runtime.getRuntime.maxMemory / 64)
  val Seconds = 2.0
}
