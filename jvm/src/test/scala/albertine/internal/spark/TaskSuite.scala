package albertine.internal.spark

import albertine.{AlbertineException, Once, SparkTest}
import org.apache.spark.sql.types.StringType

/** What tasks work with. */
@Once
class TaskSuite extends SparkTest {

  test("tasks of a driver with another jar are refused") {
    val error = intercept[AlbertineException](Executor.lease("0.0.9", Array(), "{}", None, 1))
    assert(error.getMessage == s"albertine is ${Task.version} on an executor and 0.0.9 on the driver")
  }

  test("a window ends at the row with which it has its bytes, and has one row at least") {
    val column = ColumnWriter(StringType)
    val (pace, columns) = (new Pace, Array(column))
    assert(pace.takes(0, columns))
    column.add("x" * (Pace.Bytes.toInt / 2))
    assert(pace.takes(1, columns))
    column.add("x" * (Pace.Bytes.toInt / 2))
    assert(!pace.takes(2, columns) && pace.takes(0, columns))
  }

  test("a message of over 2 GiB is told as memory that there is not") {
    val half = new Array[Byte](1 << 20)
    val message = new albertine.internal.Message.Writer()
    intercept[OutOfMemoryError](message.put(half, half.length).put(half, Int.MaxValue))
  }

  test("what is told of an accumulator is what it has grown by") {
    val growth = new Truncation.Growth
    assert(Seq(1L -> 3L, 1L -> 6L, 2L -> 4L, 1L -> 6L).map { case (id, value) => growth(id, value) } == Seq(3L, 3L, 4L, 0L))
    (10L until 2000L).foreach(growth(_, 1))
    assert(growth(1999, 1) == 0)
  }
}
