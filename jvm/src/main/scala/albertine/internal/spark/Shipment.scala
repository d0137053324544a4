package albertine.internal.spark

import albertine.{AlbertineException, ModelNotFoundException, ParamException}
import albertine.internal.Model
import org.apache.spark.SparkFiles
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.SparkSession

import java.nio.file.{Files, Path, Paths, StandardCopyOption}

/** A stage on its way to tasks. */
@SerialVersionUID(1L)
private[spark] final case class ShippedStage(name: String, params: Map[String, String], model: Option[ShippedModel]) {

  /** What tells it from others. */
  def key: (String, Map[String, String], Option[ModelKey]) = (name, params, model.map(_.key))
}

/** What tells a model from others: another stamp is another model at the same path. */
@SerialVersionUID(1L)
private[spark] final case class ModelKey(name: String, precision: String, stamp: String)

/** A model on its way to tasks: its name or path, or the bytes of an archive. */
@SerialVersionUID(1L)
private[spark] final class ShippedModel(val key: ModelKey, archive: Option[Broadcast[Array[Byte]]])
    extends Serializable {

  /** The model, on the machine of the task. */
  def load(): Model = {
    val settings = new Model.Settings()
    settings.precision = key.precision
    try Model.load(archive.fold(key.name)(found => file(found).toString), settings)
    catch {
      case error: ModelNotFoundException if key.stamp.nonEmpty =>
        throw new ModelNotFoundException(
          s"${error.getMessage}; with ${Shipment.Setting} as 'path' every machine needs the model there",
          error
        )
      case error: java.io.IOException => throw new AlbertineException(s"cannot unpack the model: $error", error)
    }
  }

  /** The archive in a folder that goes with the application; whole before it has its name. */
  private def file(found: Broadcast[Array[Byte]]): Path = {
    val root = Paths.get(SparkFiles.getRootDirectory())
    val path = root.resolve(key.name)
    if (!Files.exists(path)) {
      val part = Files.createTempFile(root, ".albertine-", ".part")
      Files.write(part, found.value)
      Files.move(part, path, StandardCopyOption.ATOMIC_MOVE)
    }
    path
  }
}

/** Hands models to whatever runs the tasks of a session. */
private[spark] final class Shipment(session: SparkSession) {

  /** A model as tasks will find it. */
  def of(model: Model): ShippedModel = {
    val facts = model.facts()
    if (facts.path == null) new ShippedModel(ModelKey(facts.name, facts.precision, ""), None)
    else if (byPath && Files.exists(Paths.get(facts.path)) && !Fetched.isCopy(facts.path)) {
      val path = Paths.get(facts.path).toAbsolutePath
      new ShippedModel(ModelKey(path.toString, facts.precision, Stamp.of(path)), None)
    } else sent(model)
  }

  private def sent(model: Model): ShippedModel = Shipment.sent.synchronized {
    val application = session.sparkContext.applicationId
    Option(Shipment.sent.get(model)).filter(_._1 == application).map(_._2).getOrElse {
      val (name, bytes) = Archive.of(model)
      val key = ModelKey(name, model.facts().precision, "")
      val shipped = new ShippedModel(key, Some(session.sparkContext.broadcast(bytes)))
      Shipment.sent.put(model, (application, shipped))
      shipped
    }
  }

  private def byPath: Boolean = session.conf.getOption(Shipment.Setting) match {
    case Some("path")      => true
    case Some("broadcast") => false
    case Some(other) => throw new ParamException(s"${Shipment.Setting} is '$other', expected 'path' or 'broadcast'")
    case None =>
      val master = session.sparkContext.master
      master == "local" || master.startsWith("local[")
  }
}

private[albertine] object Shipment {

  /**
   * How models reach the executors: `broadcast` (by Spark, the default on a cluster) or `path` (they have them at the
   * same path, the default where the driver is the executor).
   */
  val Setting = "spark.albertine.models"

  /** What was sent of a model, and to which application: it goes with the model. */
  private val sent = new java.util.WeakHashMap[Model, (String, ShippedModel)]
}

/** A model directory as one archive, whose name and bytes depend on the model alone. */
private object Archive {
  def of(model: Model): (String, Array[Byte]) = {
    val folder = Files.createTempDirectory("albertine-")
    try {
      val target = folder.resolve("model")
      model.save(target.toString)
      val bytes = new java.io.ByteArrayOutputStream()
      val archive = new java.util.zip.ZipOutputStream(bytes)
      archive.setMethod(java.util.zip.ZipOutputStream.STORED)
      for (file <- target.toFile.listFiles().sortBy(_.getName)) {
        val content = Files.readAllBytes(file.toPath)
        val checksum = new java.util.zip.CRC32()
        checksum.update(content)
        val entry = new java.util.zip.ZipEntry(file.getName)
        entry.setTime(0)
        entry.setSize(content.length.toLong)
        entry.setCrc(checksum.getValue)
        archive.putNextEntry(entry)
        archive.write(content)
        archive.closeEntry()
      }
      archive.close()
      val digest = java.security.MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray)
      (f"albertine-${BigInt(1, digest)}%064x".take(26) + ".zip", bytes.toByteArray)
    } catch {
      case error: java.io.IOException => throw new AlbertineException(s"cannot pack the model: $error", error)
    } finally Fetched.remove(folder)
  }
}

/** Which files are at a path. */
private object Stamp {

  /** The most files that are looked at: whoever names a whole disk is told soon that it is no model. */
  private val Most = 1000

  def of(path: Path): String = {
    val walk = Files.walk(path)
    try {
      val files = Array.newBuilder[Path]
      val iterator = walk.iterator()
      var count = 0
      while (iterator.hasNext && count < Most) {
        val file = iterator.next()
        if (Files.isRegularFile(file)) {
          files += file
          count += 1
        }
      }
      files.result().sorted.map(file => s"$file ${Files.size(file)} ${Files.getLastModifiedTime(file)}").mkString("\n")
    } finally walk.close()
  }
}
