package albertine.internal.spark

import albertine.{AlbertineException, Once, SparkTest}

/** What an executor gives to tasks. */
@Once
class ExecutorLeaseSuite extends SparkTest {

  test("tasks of a driver with another jar are refused") {
    val error = intercept[AlbertineException](Executor.lease("0.0.9", Array(), "{}", None, 1))
    assert(error.getMessage == s"albertine is ${Task.version} on an executor and 0.0.9 on the driver")
  }
}
