package albertine.internal.spark

import albertine.internal.Message
import org.apache.spark.sql.Row
import org.apache.spark.sql.types._

/** The values of a column as Spark's rows hold them, read where they are needed. */
private[spark] abstract class ColumnReader(validity: ColumnReader.Validity) {

  /** The value of a row, or `null`. */
  final def apply(row: Int): Any = if (isNull(row)) null else value(row)

  /** Whether a row has no value. */
  final def isNull(row: Int): Boolean = validity.isNull(row)

  protected def value(row: Int): Any
}

private[albertine] object ColumnReader {

  /** Goes over a column of so many values in an answer. */
  private[spark] def apply(answer: Message.Reader, kind: DataType, count: Int): ColumnReader = {
    val validity = new Validity(answer, count)
    kind match {
      case ArrayType(element, _) =>
        val ends = new Ends(answer, count)
        new Lists(validity, ends, ColumnReader(answer, element, ends.last))
      case MapType(key, value, _) =>
        val ends = new Ends(answer, count)
        val keys = ColumnReader(answer, key, ends.last)
        new Maps(validity, ends, keys, ColumnReader(answer, value, ends.last))
      case StructType(fields) =>
        new Structs(validity, fields.map(field => ColumnReader(answer, field.dataType, count)))
      case IntegerType => new Numbers(validity, answer, answer.skip(4 * count), identity[Int])
      case FloatType =>
        new Numbers(validity, answer, answer.skip(4 * count), java.lang.Float.intBitsToFloat(_: Int))
      case _ =>
        val ends = new Ends(answer, count)
        new Texts(validity, answer, ends, answer.skip(ends.last))
    }
  }

  /** The annotations of rows. */
  private[albertine] def annotations(answer: Message.Reader, rows: Int): Int => Seq[Row] = {
    val column = ColumnReader(answer, Schemas.annotations, rows)
    row => column(row).asInstanceOf[Seq[Row]]
  }

  private[spark] final class Validity(answer: Message.Reader, count: Int) {
    private val at = if (answer.readFlag()) answer.skip((count + 7) / 8) else -1

    def isNull(row: Int): Boolean = at >= 0 && (answer.byteAt(at + (row >> 3)) >> (row & 7) & 1) == 0
  }

  private final class Ends(answer: Message.Reader, count: Int) {
    private val at = answer.skip(4 * (count + 1))

    def apply(row: Int): Int = answer.intAt(at + 4 * row)

    def last: Int = apply(count)
  }

  private final class Texts(validity: Validity, answer: Message.Reader, ends: Ends, at: Int)
      extends ColumnReader(validity) {
    override protected def value(row: Int): Any = answer.textAt(at + ends(row), ends(row + 1) - ends(row))
  }

  private final class Numbers(validity: Validity, answer: Message.Reader, at: Int, number: Int => Any)
      extends ColumnReader(validity) {
    override protected def value(row: Int): Any = number(answer.intAt(at + 4 * row))
  }

  private final class Lists(validity: Validity, ends: Ends, elements: ColumnReader) extends ColumnReader(validity) {
    override protected def value(row: Int): Any = Vector.range(ends(row), ends(row + 1)).map(elements(_))
  }

  private final class Maps(validity: Validity, ends: Ends, keys: ColumnReader, values: ColumnReader)
      extends ColumnReader(validity) {
    // the order of the pairs is that of the labels
    override protected def value(row: Int): Any = {
      val pairs = scala.collection.mutable.LinkedHashMap.empty[Any, Any]
      (ends(row) until ends(row + 1)).foreach(index => pairs.put(keys(index), values(index)))
      pairs
    }
  }

  private final class Structs(validity: Validity, parts: Array[ColumnReader]) extends ColumnReader(validity) {
    override protected def value(row: Int): Any = Row(parts.map(_(row)).toSeq: _*)
  }
}
