package albertine.annotator

import albertine.internal.spark._
import albertine.{ModelException, PipelineException}
import albertine.internal.{Model => NativeModel}
import org.apache.spark.ml.Model
import org.apache.spark.ml.param._
import org.apache.spark.ml.util.MLWriter

import java.nio.file.Path

/**
 * Documents or sentences to classes, with a model of the family whose annotator it is.
 *
 * Reads a column of type `document` and one of type `token`, in any order, and writes one of type `category`: for each
 * document that has a token one annotation, with the best label as its result and the score of every label in its
 * metadata (under `sigmoid` one for each label over the threshold).
 *
 * The same text has the same scores, bit for bit, in any batch, in any order and at any number of threads.
 */
abstract class ForSequenceClassification[Self <: ForSequenceClassification[Self]] private[annotator] ()
    extends Model[Self]
    with IsAnnotator
    with AnnotatorTransformer {

  private var model: Option[NativeModel] = None

  /** The files of a model that came from a saved stage, and what holds them. */
  private var files: Option[OpenFiles] = None
  private var held: Option[Fetched] = None

  /** How many texts go through the encoder together on one thread. It changes the speed, never a score. */
  final val batchSize: IntParam =
    new IntParam(
      this,
      "batchSize",
      "how many texts go through the encoder together on one thread. It changes the speed, never a score"
    )

  /** The most pieces of a text that are read, [CLS] and [SEP] counted: 2 to the model's positions. */
  final val maxSentenceLength: IntParam = new IntParam(
    this,
    "maxSentenceLength",
    "the most pieces of a text that are read, [CLS] and [SEP] counted: 2 to the model's positions"
  )

  /** Whether case matters. Unless said otherwise the model's tokenizer decides. */
  final val caseSensitive: BooleanParam =
    new BooleanParam(this, "caseSensitive", "whether case matters. Unless said otherwise the model's tokenizer decides")

  /** Whether the scores of a row's sentences are averaged into one annotation. */
  final val coalesceSentences: BooleanParam =
    new BooleanParam(
      this,
      "coalesceSentences",
      "whether the scores of a row's sentences are averaged into one annotation"
    )

  /** How logits become scores: softmax (they add up to 1) or sigmoid (each by itself). */
  final val activation: Param[String] =
    new Param(this, "activation", "how logits become scores: softmax (they add up to 1) or sigmoid (each by itself)")

  /** The score that a label must exceed under sigmoid to be given. */
  final val threshold: FloatParam =
    new FloatParam(this, "threshold", "the score that a label must exceed under sigmoid to be given")

  /**
   * How a text becomes pieces: document (the whole text, as the model was trained) or token (each token alone, as
   * Spark NLP does it).
   */
  final val encoding: Param[String] = new Param(
    this,
    "encoding",
    "how a text becomes pieces: document (the whole text, as the model was trained) or token (each " +
      "token alone, as Spark NLP does it)"
  )

  /**
   * How many pieces the windows share in which texts over the limit are read whole, their logits averaged. Unless
   * set, such texts are truncated.
   */
  final val windowOverlap: IntParam = new IntParam(
    this,
    "windowOverlap",
    "how many pieces the windows share in which texts over the limit are read whole, their logits " +
      "averaged. Unless set, such texts are truncated"
  )

  /** How exactly the encoder computes: f32 (exact), bf16 or int8 (faster). */
  final val precision: Param[String] =
    new Param(this, "precision", "how exactly the encoder computes: f32 (exact), bf16 or int8 (faster)")

  /** The settings of a TensorFlow session, which there is not: kept without effect. */
  final val configProtoBytes: IntArrayParam =
    new IntArrayParam(
      this,
      "configProtoBytes",
      "the settings of a TensorFlow session, which there is not: kept without effect"
    )

  /** The engine that the model was saved for, which is not used here. */
  final val engine: Param[String] =
    new Param(this, "engine", "the engine that the model was saved for, which is not used here")

  /** Whether labels are scored each by itself. */
  final val multilabel: BooleanParam =
    new BooleanParam(this, "multilabel", "whether labels are scored each by itself")

  private def self: Self = this.asInstanceOf[Self]

  private def setting[T](param: Param[T], value: T): Self = {
    set(param, value)
    self
  }

  /** Sets the annotation columns to read, one by one. */
  @scala.annotation.varargs
  def setInputCols(value: String*): Self = setting(inputCols, value.toArray)

  /** Sets the annotation columns to read: an array or another collection of names. */
  def setInputCols(value: Iterable[String]): Self = setting(inputCols, value.toArray)

  /** Sets the annotation column to write. */
  def setOutputCol(value: String): Self = setting(outputCol, value)

  /** Sets whether pipelines were to leave the stage to others; none here does: it is kept without effect. */
  def setLazyAnnotator(value: Boolean): Self = setting(lazyAnnotator, value)

  /** Sets how many texts go through the encoder together on one thread. It changes the speed, never a score. */
  def setBatchSize(value: Int): Self = setting(batchSize, value)

  /** How many texts go through the encoder together on one thread. It changes the speed, never a score. */
  final def getBatchSize: Int = $(batchSize)

  /** Sets the most pieces of a text that are read, [CLS] and [SEP] counted: 2 to the model's positions. */
  def setMaxSentenceLength(value: Int): Self = setting(maxSentenceLength, value)

  /** The most pieces of a text that are read, [CLS] and [SEP] counted: 2 to the model's positions. */
  final def getMaxSentenceLength: Int = $(maxSentenceLength)

  /** Sets whether case matters. Unless said otherwise the model's tokenizer decides. */
  def setCaseSensitive(value: Boolean): Self = setting(caseSensitive, value)

  /** Whether case matters. Unless said otherwise the model's tokenizer decides. */
  final def getCaseSensitive: Boolean = optional(caseSensitive).getOrElse(false)

  /** Sets whether the scores of a row's sentences are averaged into one annotation. */
  def setCoalesceSentences(value: Boolean): Self = setting(coalesceSentences, value)

  /** Whether the scores of a row's sentences are averaged into one annotation. */
  final def getCoalesceSentences: Boolean = $(coalesceSentences)

  /** Sets how logits become scores: softmax (they add up to 1) or sigmoid (each by itself). */
  def setActivation(value: String): Self = setting(activation, value)

  /** How logits become scores: softmax (they add up to 1) or sigmoid (each by itself). */
  final def getActivation: String = $(activation)

  /** Sets the score that a label must exceed under sigmoid to be given. */
  def setThreshold(value: Float): Self = setting(threshold, value)

  /** The score that a label must exceed under sigmoid to be given. */
  final def getThreshold: Float = $(threshold)

  /**
   * Sets how a text becomes pieces: document (the whole text, as the model was trained) or token (each token alone,
   * as Spark NLP does it).
   */
  def setEncoding(value: String): Self = setting(encoding, value)

  /**
   * How a text becomes pieces: document (the whole text, as the model was trained) or token (each token alone, as
   * Spark NLP does it).
   */
  final def getEncoding: String = $(encoding)

  /**
   * Sets how many pieces the windows share in which texts over the limit are read whole, their logits averaged.
   * Unless set, such texts are truncated.
   */
  def setWindowOverlap(value: Int): Self = setting(windowOverlap, value)

  /**
   * How many pieces the windows share in which texts over the limit are read whole, their logits averaged. Unless
   * set, such texts are truncated; -1 where it is not set.
   */
  final def getWindowOverlap: Int = optional(windowOverlap).getOrElse(-1)

  /** Sets how exactly the encoder computes: f32 (exact), bf16 or int8 (faster). */
  def setPrecision(value: String): Self = setting(precision, value)

  /** How exactly the encoder computes: f32 (exact), bf16 or int8 (faster). */
  final def getPrecision: String = $(precision)

  /** Sets whether labels are scored each by itself: `activation` becomes `sigmoid`, else `softmax`. */
  def setMultilabel(value: Boolean): Self = {
    set(multilabel, value)
    setActivation(if (value) "sigmoid" else "softmax")
  }

  /** Whether labels are scored each by itself. */
  final def getMultilabel: Boolean = getActivation == "sigmoid"

  /** Sets the settings of a TensorFlow session. There is none: they are kept without effect. */
  def setConfigProtoBytes(value: Array[Int]): Self = setting(configProtoBytes, value)

  /** The settings of a TensorFlow session, which have no effect; `null` where they are not set. */
  final def getConfigProtoBytes: Array[Int] = optional(configProtoBytes).orNull

  /** The engine that the model was saved for, which is not used here; `null` where it is not known. */
  final def getEngine: String = optional(engine).orNull

  /** The labels, in the order of the model's logits. */
  def getClasses: Array[String] = loaded.facts().labels.clone()

  /** The model, in the precision that was asked for. */
  private def loaded: NativeModel = synchronized {
    val found = model.getOrElse(
      throw new PipelineException(
        s"there is no model: use ${getClass.getSimpleName}.pretrained(name) or ${getClass.getSimpleName}.load(path)"
      )
    )
    val wanted = optional(precision).getOrElse("f32")
    if (wanted == found.facts().precision) found
    else {
      val other = found.inPrecision(wanted)
      model = Some(other)
      other
    }
  }

  /** Gives the stage its model, whose parameters it has from then on. */
  private[annotator] def withModel(found: NativeModel, in: Option[Fetched], open: Option[OpenFiles] = None): Self = {
    val facts = found.facts()
    if (facts.annotator != native)
      throw new ModelException(s"${facts.name} is a model for ${facts.annotator}, not for $native")
    model = Some(found)
    files = open
    held = in
    setDefault(precision, "f32")
    setDefaults(facts.params)
    self
  }

  // those are this side's alone
  private[albertine] override def values: Map[String, String] =
    super.values -- Seq("precision", "engine", "lazyAnnotator", "configProtoBytes")

  private[albertine] override def spec: Spec = Spec(native, values, Some(loaded))

  override def copy(extra: ParamMap): Self = {
    val copied = defaultCopy[Self](extra)
    copied.share(model, files, held)
    if (hasParent) copied.setParent(parent) else copied
  }

  private def share(model: Option[NativeModel], files: Option[OpenFiles], held: Option[Fetched]): Unit = {
    this.model = model
    this.files = files
    this.held = held
  }

  override def write: MLWriter = new Saved.Writer(super.write, writeModel)

  private def writeModel(folder: Path): Unit = files match {
    case Some(open) => open.write(folder)
    case None       => loaded.save(folder.toString)
  }
}
