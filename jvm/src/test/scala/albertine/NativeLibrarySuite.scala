package albertine

import java.net.{URL, URLClassLoader}
import java.nio.file.{Files, Path}
import scala.collection.JavaConverters._

/** How the native library is loaded. Each case has a JVM, or a class loader, of its own. */
class NativeLibrarySuite extends SparkTest {
  private val jar: Path = java.nio.file.Paths.get(classOf[Classifier].getProtectionDomain.getCodeSource.getLocation.toURI)

  /** What a program without Spark prints, with these options of the JVM. */
  private def program(options: String*): String = {
    val classes = java.nio.file.Paths.get(getClass.getProtectionDomain.getCodeSource.getLocation.toURI)
    val command = Seq(sys.props("java.home") + "/bin/java") ++ options ++ Seq("-cp", s"$jar:$classes", "albertine.PlainProgram")
    val process = new ProcessBuilder(command.asJava).redirectErrorStream(true).start()
    val said = scala.io.Source.fromInputStream(process.getInputStream, "UTF-8").mkString
    process.waitFor()
    said
  }

  test("a program needs the jar alone: neither Spark nor Scala") {
    assert(program().linesIterator.toSeq == Seq("Sports", "World, Sports, Business, Sci/Tech"))
  }

  test("the folder to unpack into is the user's, and left empty") {
    val folder = this.folder()
    assert(program(s"-Dalbertine.native.folder=$folder").startsWith("Sports"))
    assert(folder.toFile.list().isEmpty)
  }

  test("a folder that cannot be written to is told with the setting that helps") {
    val file = folder().resolve("file")
    Files.write(file, Array[Byte]())
    val said = program(s"-Dalbertine.native.folder=$file")
    assert(said.contains("NativeLibraryException: cannot unpack the native library"))
    assert(said.contains("-Dalbertine.native.folder=PATH names another folder"))
  }

  test("a platform without a library is told by its name") {
    val said = program("-Dos.arch=s390x")
    assert(said.contains("NativeLibraryException: the jar has no native library for linux-s390x"))
  }

  test("another library in the way is told") {
    val library = folder().resolve("libalbertine_jvm.so")
    Files.write(library, "no library".getBytes)
    assert(program(s"-Dalbertine.native.library=$library").contains("NativeLibraryException: cannot load the native library"))
  }

  test("a library of another version than the jar is refused") {
    val library = folder().resolve("libalbertine_jvm.so")
    Files.copy(getClass.getResourceAsStream("/albertine/native/linux-amd64/libalbertine_jvm.so"), library)
    val loader = new URLClassLoader(Array(jar.toUri.toURL), null) {
      override def getResourceAsStream(name: String): java.io.InputStream =
        if (name == "albertine/version.properties") new java.io.ByteArrayInputStream("version=0.0.9".getBytes) else super.getResourceAsStream(name)
    }
    val error = intercept[java.lang.reflect.InvocationTargetException](
      loader.loadClass("albertine.Classifier").getConstructor(classOf[String]).newInstance("ag_news")
    )
    assert(error.getCause.getClass.getName == "albertine.NativeLibraryException")
    assert(error.getCause.getMessage.contains("has version 0.1.0, but the jar 0.0.9"))
  }

  test("two class loaders have a library each") {
    val found = Seq.fill(2)(new URLClassLoader(Array[URL](jar.toUri.toURL), null)).map { loader =>
      val made = loader.loadClass("albertine.Classifier").getConstructor(classOf[String]).newInstance("ag_news")
      made.getClass.getMethod("classify", classOf[String]).invoke(made, "The striker scored twice in the final.").toString
    }
    assert(found.forall(_.startsWith("Sports")))
    assert(found.distinct.size == 1)
  }

  test("the jar holds albertine/** alone, at most 15 MB") {
    val archive = new java.util.zip.ZipFile(jar.toFile)
    val names = archive.entries.asScala.map(_.getName).toSeq
    assert(names.filterNot(name => name.startsWith("albertine/")).toSet.subsetOf(Set("META-INF/", "META-INF/MANIFEST.MF")))
    assert(names.contains("albertine/LICENSE") && names.contains("albertine/third-party-licenses.md"))
    assert(Files.size(jar) < (15L << 20))
    // class files of Java 8
    for (name <- names if name.endsWith(".class")) {
      val header = new java.io.DataInputStream(archive.getInputStream(archive.getEntry(name)))
      assert(header.readInt() == 0xcafebabe && header.readInt() == 52, name)
    }
  }
}
