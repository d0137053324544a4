package albertine

import java.nio.file.{Path, Paths}
import scala.collection.JavaConverters._

/** Tests with programs that have the jar and nothing else. */
abstract class PlainTest extends SparkTest {
  val jar: Path = Paths.get(classOf[Classifier].getProtectionDomain.getCodeSource.getLocation.toURI)

  /** What such a program prints. */
  def run(options: Seq[String], arguments: Seq[String]): String = {
    val command = Seq(sys.props("java.home") + "/bin/java") ++ options ++ Seq(
      "-cp",
      s"$jar:$classes",
      "albertine.PlainProgram"
    ) ++ arguments
    val process = new ProcessBuilder(command.asJava).redirectErrorStream(true)
    // threads reserve no addresses of their own, which limits would count
    process.environment().put("MALLOC_ARENA_MAX", "1")
    val started = process.start()
    val said = scala.io.Source.fromInputStream(started.getInputStream, "UTF-8").mkString
    started.waitFor()
    said
  }
}
