package albertine.base

import albertine.internal.spark._
import org.apache.spark.ml.Transformer
import org.apache.spark.ml.param.{BooleanParam, Param, ParamMap, StringArrayParam}
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader}

/**
 * Annotations to plain columns: the last stage of a pipeline.
 *
 * Reads annotation columns and writes for each a list of results, or one text (`outputAsArray` false), and drops all
 * annotation columns unless told not to (`cleanAnnotations`).
 */
class Finisher(override val uid: String) extends Transformer with HasInputCols with AnnotatorTransformer {

  def this() = this(Identifiable.randomUID("Finisher"))

  private[albertine] override def native: String = "Finisher"

  /** The output columns, one per input column; by default finished_ and the name of the annotation column. */
  final val outputCols: StringArrayParam = new StringArrayParam(
    this,
    "outputCols",
    "the output columns, one per input column; by default finished_ and the name of the annotation " +
      "column"
  )

  /** Whether results are a list of texts, or one text. */
  final val outputAsArray: BooleanParam =
    new BooleanParam(this, "outputAsArray", "whether results are a list of texts, or one text")

  /** Whether metadata is included. */
  final val includeMetadata: BooleanParam = new BooleanParam(this, "includeMetadata", "whether metadata is included")

  /** Whether annotation columns are dropped. */
  final val cleanAnnotations: BooleanParam =
    new BooleanParam(this, "cleanAnnotations", "whether annotation columns are dropped")

  /** The separator between the pairs of an annotation in a text. */
  final val valueSplitSymbol: Param[String] =
    new Param(this, "valueSplitSymbol", "the separator between the pairs of an annotation in a text")

  /** The separator between the annotations of a row in a text. */
  final val annotationSplitSymbol: Param[String] =
    new Param(this, "annotationSplitSymbol", "the separator between the annotations of a row in a text")

  setDefaults(Annotator.defaultsOf(native))

  /** Sets the annotation columns to read, one by one. */
  @scala.annotation.varargs
  def setInputCols(value: String*): this.type = set(inputCols, value.toArray)

  /** Sets the annotation columns to read: an array or another collection of names. */
  def setInputCols(value: Iterable[String]): this.type = set(inputCols, value.toArray)

  /** Sets the output columns, one per input column: one by one. */
  @scala.annotation.varargs
  def setOutputCols(value: String*): this.type = set(outputCols, value.toArray)

  /** Sets the output columns: an array or another collection of names. */
  def setOutputCols(value: Iterable[String]): this.type = set(outputCols, value.toArray)

  /** The output columns, one per input column. */
  def getOutputCols: Array[String] = optional(outputCols).getOrElse(getInputCols.map("finished_" + _))

  /** Sets whether results are a list of texts, or one text. */
  def setOutputAsArray(value: Boolean): this.type = set(outputAsArray, value)

  /** Whether results are a list of texts, or one text. */
  final def getOutputAsArray: Boolean = $(outputAsArray)

  /** Sets whether metadata is included. */
  def setIncludeMetadata(value: Boolean): this.type = set(includeMetadata, value)

  /** Whether metadata is included. */
  final def getIncludeMetadata: Boolean = $(includeMetadata)

  /** Sets whether annotation columns are dropped. */
  def setCleanAnnotations(value: Boolean): this.type = set(cleanAnnotations, value)

  /** Whether annotation columns are dropped. */
  final def getCleanAnnotations: Boolean = $(cleanAnnotations)

  /** Sets the separator between the pairs of an annotation in a text. */
  def setValueSplitSymbol(value: String): this.type = set(valueSplitSymbol, value)

  /** The separator between the pairs of an annotation in a text. */
  final def getValueSplitSymbol: String = $(valueSplitSymbol)

  /** Sets the separator between the annotations of a row in a text. */
  def setAnnotationSplitSymbol(value: String): this.type = set(annotationSplitSymbol, value)

  /** The separator between the annotations of a row in a text. */
  final def getAnnotationSplitSymbol: String = $(annotationSplitSymbol)

  override def copy(extra: ParamMap): Finisher = defaultCopy(extra)
}

/** Makes and reads [[Finisher]]s. */
object Finisher extends DefaultParamsReadable[Finisher] {

  /** A stage with nothing set. */
  def apply(): Finisher = new Finisher()

  override def read: MLReader[Finisher] = new Saved.Reader(classOf[Finisher], super.read, () => new Finisher())

  /** A stage that was saved, here or by Spark NLP.
    *
    * @throws albertine.ModelNotFoundException nothing is at the path
    * @throws albertine.PipelineException none of this class is
    */
  override def load(path: String): Finisher = read.load(path)
}
