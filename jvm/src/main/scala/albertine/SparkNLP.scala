package albertine

import albertine.internal.NativeLibrary
import org.apache.spark.sql.SparkSession

import scala.collection.JavaConverters._

/** A Spark session, and the version of the jar, as Spark NLP has them. */
object SparkNLP {

  /** The version of the jar. */
  val currentVersion: String = NativeLibrary.version()

  /**
   * A Spark session on this machine with all its cores: the one that there is, or a new one. Nothing here needs more
   * than a plain session, so that any other will do as well.
   *
   * @param gpu accepted, as are `apple_silicon` and `aarch64`, of which one at most
   * @param memory the most memory that the driver takes, where it is yet to be started
   * @param cache_folder accepted, as are `log_folder` and `cluster_tmp_dir`: the environment names the cache of models
   * @param params further settings of Spark, by name
   * @throws albertine.ParamException more than one kind of hardware
   */
  def start(
      gpu: Boolean = false,
      apple_silicon: Boolean = false,
      aarch64: Boolean = false,
      memory: String = "16G",
      cache_folder: String = "",
      log_folder: String = "",
      cluster_tmp_dir: String = "",
      params: Map[String, String] = Map.empty
  ): SparkSession = {
    if (Seq(gpu, apple_silicon, aarch64).count(identity) > 1)
      throw new ParamException("at most one of gpu, apple_silicon and aarch64 can be true")
    val settings = Map("spark.driver.memory" -> memory, "spark.driver.maxResultSize" -> "0") ++ params
    val builder = SparkSession.builder().appName("Albertine").master("local[*]")
    settings.foldLeft(builder) { case (builder, (name, value)) => builder.config(name, value) }.getOrCreate()
  }

  /** As the other, with its defaults: for Java. */
  def start(): SparkSession = start(gpu = false)

  /** As the other, with settings of Spark: for Java. */
  def start(params: java.util.Map[String, String]): SparkSession = start(params = params.asScala.toMap)

  /** The version of the jar. */
  def version(): String = currentVersion
}
