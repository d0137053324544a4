package albertine.internal.spark

import albertine.internal.Message
import org.apache.spark.sql.Row
import org.apache.spark.sql.types._

/** Writes the values of a column, or of a part of one, as `jvm/native/src/batch.rs` reads them. */
private[spark] abstract class ColumnWriter {
  private val validity = new Message.Writer()
  private var bits = 0
  private var missing = false
  protected var count = 0

  /** Adds a value, or `null`. */
  final def add(value: Any): Unit = {
    if (value == null) missing = true else bits |= 1 << (count & 7)
    count += 1
    if ((count & 7) == 0) {
      validity.put(bits.toByte)
      bits = 0
    }
    write(value)
  }

  protected def write(value: Any): Unit

  /** About how many bytes there are. */
  def size: Int

  /** Writes the column. */
  final def finish(message: Message.Writer): Unit = {
    message.put((if (missing) 1 else 0).toByte)
    if (missing) {
      if ((count & 7) != 0) validity.put(bits.toByte)
      message.put(validity)
    }
    body(message)
  }

  protected def body(message: Message.Writer): Unit
}

private[spark] object ColumnWriter {

  /** Whether values of a type can be handed to stages; of others they know the name alone. */
  def takes(kind: DataType): Boolean = kind match {
    case _: StringType | ByteType | ShortType | IntegerType | LongType | FloatType => true
    case ArrayType(element, _)                                                     => takes(element)
    case MapType(key, value, _)                                                    => takes(key) && takes(value)
    case StructType(fields) => fields.forall(field => takes(field.dataType))
    case _                  => false
  }

  /** A writer for values of a type. */
  def apply(kind: DataType): ColumnWriter = kind match {
    case ArrayType(element, _)  => new Lists(ColumnWriter(element))
    case MapType(key, value, _) => new Maps(ColumnWriter(key), ColumnWriter(value))
    case StructType(fields)     => new Structs(fields.map(field => ColumnWriter(field.dataType)))
    case _: StringType          => new Texts
    case other                  => new Numbers(other.defaultSize)
  }

  private final class Texts extends ColumnWriter {
    private val ends = new Message.Writer().put(0)
    private val texts = new Message.Writer()

    override protected def write(value: Any): Unit = {
      if (value != null) {
        val text = value.toString.getBytes(java.nio.charset.StandardCharsets.UTF_8)
        texts.put(text, text.length)
      }
      ends.put(texts.size)
    }

    override def size: Int = ends.size + texts.size

    override protected def body(message: Message.Writer): Unit = message.put(ends).put(texts)
  }

  /** Numbers, each of so many bytes. */
  private final class Numbers(width: Int) extends ColumnWriter {
    private val numbers = new Message.Writer()

    override protected def write(value: Any): Unit = value match {
      case value: Byte  => numbers.put(value)
      case value: Short => numbers.put(value)
      case value: Int   => numbers.put(value)
      case value: Long  => numbers.put(value)
      case value: Float => numbers.put(value)
      case _            => (0 until width).foreach(_ => numbers.put(0.toByte))
    }

    override def size: Int = numbers.size

    override protected def body(message: Message.Writer): Unit = message.put(numbers)
  }

  private final class Lists(elements: ColumnWriter) extends ColumnWriter {
    private val ends = new Message.Writer().put(0)
    private var end = 0

    override protected def write(value: Any): Unit = {
      value match {
        case values: scala.collection.Seq[_] => values.foreach(item)
        case values: Array[_]                => values.foreach(item)
        case _                               =>
      }
      ends.put(end)
    }

    private def item(value: Any): Unit = {
      elements.add(value)
      end += 1
    }

    override def size: Int = ends.size + elements.size

    override protected def body(message: Message.Writer): Unit = elements.finish(message.put(ends))
  }

  private final class Maps(keys: ColumnWriter, values: ColumnWriter) extends ColumnWriter {
    private val ends = new Message.Writer().put(0)
    private var end = 0

    override protected def write(value: Any): Unit = {
      value match {
        case pairs: scala.collection.Map[_, _] =>
          pairs.foreach { case (key, value) =>
            keys.add(key)
            values.add(value)
            end += 1
          }
        case _ =>
      }
      ends.put(end)
    }

    override def size: Int = ends.size + keys.size + values.size

    override protected def body(message: Message.Writer): Unit = {
      keys.finish(message.put(ends))
      values.finish(message)
    }
  }

  private final class Structs(parts: Array[ColumnWriter]) extends ColumnWriter {
    override protected def write(value: Any): Unit = value match {
      case row: Row => parts.indices.foreach(index => parts(index).add(row.get(index)))
      case _        => parts.foreach(_.add(null))
    }

    override def size: Int = parts.foldLeft(0)(_ + _.size)

    override protected def body(message: Message.Writer): Unit = parts.foreach(_.finish(message))
  }
}
