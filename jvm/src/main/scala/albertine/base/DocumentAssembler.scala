package albertine.base

import albertine.internal.spark._
import org.apache.spark.ml.Transformer
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader}

/**
 * Texts to documents: the first stage of a pipeline.
 *
 * Reads a column of texts, or of lists of texts, and writes one of type `document`: one annotation for a text (also
 * for an empty or missing one, with `begin` 0 and `end` -1), or one for each text of a list. Texts can be cleaned up
 * (`cleanupMode`); all offsets then refer to the cleaned text.
 */
class DocumentAssembler(override val uid: String) extends Transformer with HasOutputCol with AnnotatorTransformer {

  def this() = this(Identifiable.randomUID("DocumentAssembler"))

  private[albertine] override def native: String = "DocumentAssembler"

  /** The column of texts, or of lists of texts, to read. */
  final val inputCol: Param[String] =
    new Param(this, "inputCol", "the column of texts, or of lists of texts, to read")

  /** A column whose value is added to the metadata as id. */
  final val idCol: Param[String] = new Param(this, "idCol", "a column whose value is added to the metadata as id")

  /** A column of maps whose pairs are added to the metadata. */
  final val metadataCol: Param[String] =
    new Param(this, "metadataCol", "a column of maps whose pairs are added to the metadata")

  /**
   * How texts are cleaned up: disabled, inplace, inplace_full, shrink, shrink_full, each, each_full or delete_full.
   */
  final val cleanupMode: Param[String] = new Param(
    this,
    "cleanupMode",
    "how texts are cleaned up: disabled, inplace, inplace_full, shrink, shrink_full, each, each_full " +
      "or delete_full"
  )

  setDefaults(Annotator.defaultsOf(native))

  /** Sets the column of texts, or of lists of texts, to read. */
  def setInputCol(value: String): this.type = set(inputCol, value)

  /** The column of texts, or of lists of texts, to read. */
  final def getInputCol: String = $(inputCol)

  /** Sets a column whose value is added to the metadata as id. */
  def setIdCol(value: String): this.type = set(idCol, value)

  /** A column whose value is added to the metadata as id; `null` where it is not set. */
  final def getIdCol: String = optional(idCol).getOrElse(null)

  /** Sets a column of maps whose pairs are added to the metadata. */
  def setMetadataCol(value: String): this.type = set(metadataCol, value)

  /** A column of maps whose pairs are added to the metadata; `null` where it is not set. */
  final def getMetadataCol: String = optional(metadataCol).getOrElse(null)

  /**
   * Sets how texts are cleaned up: disabled, inplace, inplace_full, shrink, shrink_full, each, each_full or
   * delete_full.
   */
  def setCleanupMode(value: String): this.type = set(cleanupMode, value)

  /**
   * How texts are cleaned up: disabled, inplace, inplace_full, shrink, shrink_full, each, each_full or delete_full.
   */
  final def getCleanupMode: String = $(cleanupMode)

  /** Sets the annotation column to write. */
  def setOutputCol(value: String): this.type = set(outputCol, value)

  override def copy(extra: ParamMap): DocumentAssembler = defaultCopy(extra)
}

/** Makes and reads [[DocumentAssembler]]s. */
object DocumentAssembler extends DefaultParamsReadable[DocumentAssembler] {

  /** A stage with nothing set. */
  def apply(): DocumentAssembler = new DocumentAssembler()

  override def read: MLReader[DocumentAssembler] =
    new Saved.Reader(classOf[DocumentAssembler], super.read, () => new DocumentAssembler())

  /** A stage that was saved, here or by Spark NLP.
    *
    * @throws albertine.ModelNotFoundException nothing is at the path
    * @throws albertine.PipelineException none of this class is
    */
  override def load(path: String): DocumentAssembler = read.load(path)
}
