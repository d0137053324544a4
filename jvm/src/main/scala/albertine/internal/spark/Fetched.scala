package albertine.internal.spark

import albertine.ModelNotFoundException
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path => HadoopPath}
import org.apache.spark.sql.SparkSession

import java.nio.file.{Files, Path, Paths}

/**
 * What is at a path, as a folder or file of this machine: the path itself, or a copy of what is on another file system,
 * which goes with this object.
 */
private[albertine] final class Fetched private (val local: Path, copy: Option[Path]) {

  /** The local path as Hadoop and Spark write it: not as a URI, in which a space would be three characters. */
  def asHadoop: String = new HadoopPath(local.toUri).toString

  /** Keeps the copy for as long as this object is there. */
  private val cleaning = copy.map(new Fetched.Cleaning(this, _))
}

private[albertine] object Fetched {
  private val unreachable = new java.lang.ref.ReferenceQueue[Fetched]
  private val copies = java.util.concurrent.ConcurrentHashMap.newKeySet[Cleaning]()

  private final class Cleaning(of: Fetched, val folder: Path)
      extends java.lang.ref.PhantomReference[Fetched](of, unreachable) {
    copies.add(this)
  }

  /** What is at a path.
    *
    * @throws albertine.ModelNotFoundException nothing is
    */
  def apply(path: String): Fetched = {
    Iterator.continually(unreachable.poll()).takeWhile(_ != null).foreach {
      case gone: Cleaning =>
        copies.remove(gone)
        remove(gone.folder)
      case _ =>
    }
    val (place, configuration) = (new HadoopPath(path), hadoop)
    val system = place.getFileSystem(configuration)
    if (!system.exists(place)) throw new ModelNotFoundException(s"there is nothing at $path")
    if (isLocal(place, configuration)) new Fetched(Paths.get(system.makeQualified(place).toUri.getPath), None)
    else {
      val folder = Files.createTempDirectory("albertine-")
      val copy = folder.resolve(place.getName)
      system.copyToLocalFile(false, place, new HadoopPath(copy.toUri), true)
      removeAtExit(folder)
      new Fetched(copy, Some(folder))
    }
  }

  /** Whether a path leads into a copy, which no other machine has and which will go. */
  def isCopy(path: String): Boolean = {
    val place = Paths.get(path).toAbsolutePath
    var found = false
    copies.forEach(copy => found ||= place.startsWith(copy.folder.toAbsolutePath))
    found
  }

  /** The settings of Hadoop's file systems. */
  def hadoop: Configuration =
    SparkSession.getActiveSession
      .orElse(SparkSession.getDefaultSession)
      .fold(new Configuration())(_.sparkContext.hadoopConfiguration)

  def isLocal(place: HadoopPath, configuration: Configuration): Boolean =
    place.getFileSystem(configuration).getUri.getScheme == "file"

  /** Has a folder removed when the JVM ends, if it is still there: what is in it goes first. */
  private def removeAtExit(folder: Path): Unit = {
    val walk = Files.walk(folder)
    try walk.forEach(_.toFile.deleteOnExit())
    finally walk.close()
  }

  /** Removes a folder and what is in it, as far as it can be. */
  def remove(folder: Path): Unit = {
    val files = Option(folder.toFile.listFiles()).getOrElse(Array.empty)
    files.foreach(file =>
      if (file.isDirectory && !Files.isSymbolicLink(file.toPath)) remove(file.toPath) else file.delete()
    )
    folder.toFile.delete()
  }
}

/**
 * The files of a folder, which can be read for as long as this object is there, even if the folder goes: Spark's
 * `overwrite` empties the place before it asks the stages to write themselves, and they may have come from there.
 */
private[albertine] final class OpenFiles(folder: Path) {
  private val files = folder.toFile
    .listFiles()
    .filter(_.isFile)
    .map(file => file.getName -> new java.io.FileInputStream(file))

  /** Writes the files into a new folder. */
  def write(target: Path): Unit = synchronized {
    Files.createDirectories(target)
    for ((name, file) <- files) {
      val channel = file.getChannel
      val out = new java.io.FileOutputStream(target.resolve(name).toFile)
      try {
        var at = 0L
        while (at < channel.size()) at += channel.transferTo(at, channel.size() - at, out.getChannel)
      } finally out.close()
    }
  }
}
