package albertine

import java.net.{URL, URLClassLoader}
import java.nio.file.Files

/** How the native library is loaded. Each case has a JVM, or a class loader, of its own. */
@Once
class NativeLibrarySuite extends PlainTest {
  private def program(options: String*): String = run(options, Nil)

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

  test("a folder that programs may not run from is told with the setting that helps") {
    val folder = this.folder()
    def mount(command: String*) = new ProcessBuilder(command: _*).start().waitFor() == 0
    assume(
      mount("mount", "-t", "tmpfs", "-o", "noexec", "albertine", folder.toString),
      "this user may not mount a file system"
    )
    try {
      val said = program(s"-Djava.io.tmpdir=$folder")
      assert(said.contains("NativeLibraryException: cannot load the native library"), said)
      assert(said.contains("programs may not run from that folder: -Dalbertine.native.folder=PATH names another"), said)
      assert(program(s"-Djava.io.tmpdir=$folder", s"-Dalbertine.native.folder=${this.folder()}").startsWith("Sports"))
      assert(folder.toFile.list().isEmpty)
    } finally mount("umount", folder.toString)
  }

  test("what is not closed is let go when it is collected") {
    // of 200 models of 8 MB no more than a few are there at a time
    assert(run(Seq("-Xmx32m"), Seq("collect")).trim.toInt < 200)
  }

  test("a model or a text that there is no memory for is an exception, and not the end of the process") {
    // a compiler that is denied memory would end it
    val said = run(Seq("-Xint", "-Xmx32m", "-XX:+UseSerialGC"), Seq("limit")).linesIterator.toSeq
    val expected = "albertine.MemoryException: this process cannot have \\d+ MiB more memory, which the model needs"
    assert(said.head.startsWith("albertine.ModelNotFoundException: "), said)
    assert(said.slice(1, 3).forall(_.matches(expected)) && said.drop(3) == Seq("Business"), said)
  }

  // a panic is one as well: see the tests in jvm/native/src/lib.rs
  test("a defect is an internal exception, and the library goes on") {
    val error = intercept[InternalException](albertine.internal.Native.ask(new albertine.internal.Message.Writer(-1)))
    assert(error.getMessage == "the native library did not understand what was asked for")
    assert(new Classifier("ag_news").classify("Oil prices rose.").getLabel == "Business")
  }

  test("a platform without a library is told by its name") {
    val said = program("-Dos.arch=s390x")
    assert(said.contains("NativeLibraryException: the jar has no native library for linux-s390x"))
  }

  test("another library in the way is told") {
    val library = folder().resolve("libalbertine_jvm.so")
    Files.write(library, "no library".getBytes)
    assert(
      program(s"-Dalbertine.native.library=$library").contains("NativeLibraryException: cannot load the native library")
    )
    // one that can be loaded
    val other = scala.io.Source.fromFile("/proc/self/maps").getLines().flatMap(_.split(' ').lastOption)
      .find(_.matches(".*/libc[.-].*so.*")).get
    assert(program(s"-Dalbertine.native.library=$other").contains(
      s"NativeLibraryException: $other is no native library of albertine"
    ))
  }

  test("a library of another version than the jar is refused") {
    val library = folder().resolve("libalbertine_jvm.so")
    Files.copy(getClass.getResourceAsStream("/albertine/native/linux-amd64/libalbertine_jvm.so"), library)
    val loader = new URLClassLoader(Array(jar.toUri.toURL), null) {
      override def getResourceAsStream(name: String): java.io.InputStream =
        if (name == "albertine/version.properties") new java.io.ByteArrayInputStream("version=0.0.9".getBytes)
        else super.getResourceAsStream(name)
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
      made.getClass.getMethod("classify", classOf[String]).invoke(
        made,
        "The striker scored twice in the final."
      ).toString
    }
    assert(found.forall(_.startsWith("Sports")))
    assert(found.distinct.size == 1)
  }
}
