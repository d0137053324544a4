package albertine

import java.nio.file.Files
import scala.collection.JavaConverters._

/** What is in the jar, and what it needs. */
class JarSuite extends PlainTest {
  test("a program needs the jar alone: neither Spark nor Scala") {
    assert(run(Nil, Nil).linesIterator.toSeq == Seq("Sports", "World, Sports, Business, Sci/Tech"))
  }

  test("the jar holds albertine/** alone, at most 15 MB") {
    val archive = new java.util.zip.ZipFile(jar.toFile)
    val names = archive.entries.asScala.map(_.getName).toSeq
    assert(names.filterNot(name => name.startsWith("albertine/")).toSet.subsetOf(Set(
      "META-INF/",
      "META-INF/MANIFEST.MF"
    )))
    assert(names.contains("albertine/LICENSE") && names.contains("albertine/third-party-licenses.md"))
    assert(Files.size(jar) < (15L << 20))
    // class files of Java 8
    for (name <- names if name.endsWith(".class")) {
      val header = new java.io.DataInputStream(archive.getInputStream(archive.getEntry(name)))
      assert(header.readInt() == 0xcafebabe && header.readInt() == 52, name)
    }
  }
}
