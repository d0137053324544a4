package albertine.internal.spark

import albertine.{AlbertineException, PipelineException}
import albertine.internal.NativePipeline
import org.apache.spark.ml.util.{MLReader, MLWriter}

import java.nio.file.{Files, Path}

/** Stages as they are saved. */
private[albertine] object Saved {

  /** The class that a saved stage says it is; none where no stage was saved. */
  def classAt(folder: Path): Option[String] = {
    val parts = Option(folder.resolve("metadata").toFile.listFiles()).getOrElse(Array.empty)
    try {
      val lines = parts.filter(_.getName.startsWith("part-")).sortBy(_.getName).flatMap(firstLine)
      for (line <- lines.headOption; json <- Option(mapper.readTree(line)); name <- Option(json.get("class")))
        yield name.asText
    } catch {
      case error: java.io.IOException =>
        throw new PipelineException(
          s"${folder.resolve("metadata")} is not the JSON of a saved stage: ${error.getMessage}",
          error
        )
    }
  }

  private def firstLine(file: java.io.File): Option[String] = {
    val reader = Files.newBufferedReader(file.toPath)
    try Option(reader.readLine())
    finally reader.close()
  }

  private val mapper = new com.fasterxml.jackson.databind.ObjectMapper()

  /** Reads a stage that was saved by this package or, through the native library, by Spark NLP. */
  final class Reader[T <: Annotator](cls: Class[T], ours: MLReader[T], empty: () => T) extends MLReader[T] {
    override def load(path: String): T = guarded(path) {
      val found = Fetched(path)
      classAt(found.local) match {
        case Some(name) if name == cls.getName => ours.load(found.asHadoop)
        case Some(name) if name.startsWith("albertine.") =>
          throw new PipelineException(s"$path holds $name, not a ${cls.getSimpleName}")
        case _ => ofSparkNlp(path, found)
      }
    }

    private def ofSparkNlp(path: String, found: Fetched): T = {
      val pipeline = NativePipeline.load(found.local.toString)
      try {
        val stages = pipeline.stages()
        val stage = empty()
        // a tokenizer comes out fitted
        if (stages.length != 1 || stages(0).name.stripSuffix("Model") != stage.native)
          throw new PipelineException(s"$path holds no ${cls.getSimpleName}")
        stage.setValues(asMap(stages(0).params))
      } finally pipeline.close()
    }
  }

  def asMap(params: java.util.Map[String, String]): Map[String, String] = {
    import scala.collection.JavaConverters._
    params.asScala.toMap
  }

  /**
   * Makes exceptions of Spark's readers and of file systems ours: a parameter that there is not, a value of another
   * type, a path that is none.
   */
  def guarded[T](path: String)(read: => T): T =
    try read
    catch {
      case error: AlbertineException => throw error
      case scala.util.control.NonFatal(error) =>
        throw new PipelineException(s"$path cannot be read: ${error.getMessage}", error)
    }

  /** Writes the parameters of a stage, and then its model beside them. */
  final class Writer(plain: MLWriter, model: Path => Unit) extends MLWriter {
    override protected def saveImpl(path: String): Unit = {
      plain.save(path)
      val (place, configuration) = (new org.apache.hadoop.fs.Path(path, "model"), Fetched.hadoop)
      val folder = Files.createTempDirectory("albertine-")
      try {
        val written = folder.resolve("model")
        model(written)
        val source = new org.apache.hadoop.fs.Path(written.toUri)
        place.getFileSystem(configuration).copyFromLocalFile(true, true, source, place)
      } finally Fetched.remove(folder)
    }
  }
}
