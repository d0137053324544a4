package albertine.internal.spark

import org.apache.spark.sql.Row

/**
 * A row with the values that stages wrote for it, which are made when they are asked for: Spark does not ask for columns
 * that no later step needs, and tokens are most of what stages write.
 *
 * @param before the row as it was
 * @param columns for each column the place in the row that it was, or -1 - the place among those written
 * @param written the columns that came back
 * @param index the row's place in them
 */
private[spark] final class WrittenRow(before: Row, columns: Array[Int], written: Array[ColumnReader], index: Int)
    extends Row {

  override def length: Int = columns.length

  override def get(column: Int): Any = {
    val place = columns(column)
    if (place >= 0) before.get(place) else written(-1 - place)(index)
  }

  override def isNullAt(column: Int): Boolean = {
    val place = columns(column)
    if (place >= 0) before.isNullAt(place) else written(-1 - place).isNull(index)
  }

  override def copy(): Row = Row(toSeq: _*)
}
