package albertine.annotator

import albertine.internal.spark._
import org.apache.spark.ml.Transformer
import org.apache.spark.ml.param.{BooleanParam, IntParam, Param, ParamMap, StringArrayParam}
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader}

/**
 * Documents to sentences, by Spark NLP's rules: ends of sentences, abbreviations, numbers, lists, quotations.
 *
 * Reads a column of type `document` and writes one of type `document`, one annotation per sentence, with the offsets
 * of the document and the sentence's number as `sentence` in the metadata.
 */
class SentenceDetector(override val uid: String) extends Transformer with IsAnnotator with AnnotatorTransformer {

  def this() = this(Identifiable.randomUID("SentenceDetector"))

  private[albertine] override def native: String = "SentenceDetector"

  /** Whether periods after abbreviations do not end a sentence. */
  final val useAbbreviations: BooleanParam =
    new BooleanParam(this, "useAbbreviations", "whether periods after abbreviations do not end a sentence")

  /** Whether the items of lists are sentences. */
  final val detectLists: BooleanParam =
    new BooleanParam(this, "detectLists", "whether the items of lists are sentences")

  /** Whether only the custom bounds end sentences. */
  final val useCustomBoundsOnly: BooleanParam =
    new BooleanParam(this, "useCustomBoundsOnly", "whether only the custom bounds end sentences")

  /** Further patterns that end sentences. */
  final val customBounds: StringArrayParam =
    new StringArrayParam(this, "customBounds", "further patterns that end sentences")

  /** What happens to a custom bound: none (dropped), prepend to the next sentence or append to the one before. */
  final val customBoundsStrategy: Param[String] = new Param(
    this,
    "customBoundsStrategy",
    "what happens to a custom bound: none (dropped), prepend to the next sentence or append to the " +
      "one before"
  )

  /** Whether each sentence gets its own row; rows without a sentence (missing or empty texts) are then dropped. */
  final val explodeSentences: BooleanParam = new BooleanParam(
    this,
    "explodeSentences",
    "whether each sentence gets its own row; rows without a sentence (missing or empty texts) are " +
      "then dropped"
  )

  /** The length over which sentences are split at words, in UTF-16 code units. */
  final val splitLength: IntParam =
    new IntParam(this, "splitLength", "the length over which sentences are split at words, in UTF-16 code units")

  /** The minimum length of a sentence, in UTF-16 code units; shorter ones are dropped. */
  final val minLength: IntParam =
    new IntParam(this, "minLength", "the minimum length of a sentence, in UTF-16 code units; shorter ones are dropped")

  /** The maximum length of a sentence, in UTF-16 code units; longer ones are dropped. */
  final val maxLength: IntParam =
    new IntParam(this, "maxLength", "the maximum length of a sentence, in UTF-16 code units; longer ones are dropped")

  setDefaults(Annotator.defaultsOf(native))

  /** Sets the annotation columns to read, one by one. */
  @scala.annotation.varargs
  def setInputCols(value: String*): this.type = set(inputCols, value.toArray)

  /** Sets the annotation columns to read: an array or another collection of names. */
  def setInputCols(value: Iterable[String]): this.type = set(inputCols, value.toArray)

  /** Sets the annotation column to write. */
  def setOutputCol(value: String): this.type = set(outputCol, value)

  /** Sets whether pipelines were to leave the stage to others; none here does: it is kept without effect. */
  def setLazyAnnotator(value: Boolean): this.type = set(lazyAnnotator, value)

  /** Sets whether periods after abbreviations do not end a sentence. */
  def setUseAbbreviations(value: Boolean): this.type = set(useAbbreviations, value)

  /** Whether periods after abbreviations do not end a sentence. */
  final def getUseAbbreviations: Boolean = $(useAbbreviations)

  /** Sets whether the items of lists are sentences. */
  def setDetectLists(value: Boolean): this.type = set(detectLists, value)

  /** Whether the items of lists are sentences. */
  final def getDetectLists: Boolean = $(detectLists)

  /** Sets whether only the custom bounds end sentences. */
  def setUseCustomBoundsOnly(value: Boolean): this.type = set(useCustomBoundsOnly, value)

  /** Whether only the custom bounds end sentences. */
  final def getUseCustomBoundsOnly: Boolean = $(useCustomBoundsOnly)

  /** Sets further patterns that end sentences. */
  def setCustomBounds(value: Array[String]): this.type = set(customBounds, value)

  /** Further patterns that end sentences. */
  final def getCustomBounds: Array[String] = $(customBounds)

  /**
   * Sets what happens to a custom bound: none (dropped), prepend to the next sentence or append to the one before.
   */
  def setCustomBoundsStrategy(value: String): this.type = set(customBoundsStrategy, value)

  /** What happens to a custom bound: none (dropped), prepend to the next sentence or append to the one before. */
  final def getCustomBoundsStrategy: String = $(customBoundsStrategy)

  /**
   * Sets whether each sentence gets its own row; rows without a sentence (missing or empty texts) are then dropped.
   */
  def setExplodeSentences(value: Boolean): this.type = set(explodeSentences, value)

  /** Whether each sentence gets its own row; rows without a sentence (missing or empty texts) are then dropped. */
  final def getExplodeSentences: Boolean = $(explodeSentences)

  /** Sets the length over which sentences are split at words, in UTF-16 code units. */
  def setSplitLength(value: Int): this.type = set(splitLength, value)

  /** The length over which sentences are split at words, in UTF-16 code units; -1 where it is not set. */
  final def getSplitLength: Int = optional(splitLength).getOrElse(-1)

  /** Sets the minimum length of a sentence, in UTF-16 code units; shorter ones are dropped. */
  def setMinLength(value: Int): this.type = set(minLength, value)

  /** The minimum length of a sentence, in UTF-16 code units; shorter ones are dropped. */
  final def getMinLength: Int = $(minLength)

  /** Sets the maximum length of a sentence, in UTF-16 code units; longer ones are dropped. */
  def setMaxLength(value: Int): this.type = set(maxLength, value)

  /** The maximum length of a sentence, in UTF-16 code units; longer ones are dropped; -1 where it is not set. */
  final def getMaxLength: Int = optional(maxLength).getOrElse(-1)

  override def copy(extra: ParamMap): SentenceDetector = defaultCopy(extra)
}

/** Makes and reads [[SentenceDetector]]s. */
object SentenceDetector extends DefaultParamsReadable[SentenceDetector] {

  /** A stage with nothing set. */
  def apply(): SentenceDetector = new SentenceDetector()

  override def read: MLReader[SentenceDetector] =
    new Saved.Reader(classOf[SentenceDetector], super.read, () => new SentenceDetector())

  /** A stage that was saved, here or by Spark NLP.
    *
    * @throws albertine.ModelNotFoundException nothing is at the path
    * @throws albertine.PipelineException none of this class is
    */
  override def load(path: String): SentenceDetector = read.load(path)
}
