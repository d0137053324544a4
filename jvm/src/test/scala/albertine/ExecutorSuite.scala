package albertine

import java.nio.file.Paths
import scala.collection.JavaConverters._

/** What jobs cost the process of an executor. */
@Once
class ExecutorSuite extends SparkTest {

  /** What the program prints, by the name before it. */
  private lazy val found: Map[String, String] = {
    val copies = Seq.fill(3)(folder().resolve("stage").toString)
    copies.foreach(sequence.write.session(spark).save(_))
    // the heap is there from the beginning, so that what grows is something else
    val heap = Seq("-Xms600m", "-Xmx600m", "-XX:+AlwaysPreTouch")
    val options =
      java.lang.management.ManagementFactory.getRuntimeMXBean.getInputArguments.asScala.filterNot(_.startsWith("-Xmx"))
    val command =
      Seq(Paths.get(sys.props("java.home"), "bin/java").toString) ++ options ++ heap :+ "albertine.ExecutorProgram"
    val process = new ProcessBuilder((command ++ copies).asJava).redirectErrorStream(true)
    process.environment().put("CLASSPATH", sys.props("java.class.path") + java.io.File.pathSeparator + classes)
    val started = process.start()
    val said = scala.io.Source.fromInputStream(started.getInputStream, "UTF-8").getLines().toList
    assert(started.waitFor() == 0, said.mkString("\n"))
    said.map(_.split(": ", 2)).collect { case Array(name, value) => name -> value }.toMap
  }

  private def number(name: String): Long = found(name).toLong

  test("eight tasks load a model once") {
    val once = number("read by one task")
    assert(once > (4 << 20) && number("read by eight tasks") < once * 3 / 2, found)
  }

  test("memory does not grow over a hundred jobs") {
    assert(number("grown over 60 jobs") < (16 << 20), found)
  }

  test("rows that the heap does not hold are an exception, and the executor goes on") {
    assert(found("too large").contains("albertine.MemoryException: partition "), found)
    assert(found("too large").contains("spark.executor.memory makes it larger"), found)
    assert(number("rows after that") == 80)
  }

  test("a task of two processors computes on two threads") {
    val ticks =
      found.collect { case (name, value) if name.startsWith("ticks of albertine-") => value.toLong }.toSeq.sorted
    assert(ticks.size == 2 && ticks.head > ticks.last / 2 && ticks.head > 10, found)
  }
}
