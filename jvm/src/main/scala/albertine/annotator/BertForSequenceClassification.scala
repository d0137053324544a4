package albertine.annotator

import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader}
import org.apache.spark.sql.SparkSession

/** Documents or sentences to classes, with a BERT model: see [[ForSequenceClassification]]. */
class BertForSequenceClassification(override val uid: String)
    extends ForSequenceClassification[BertForSequenceClassification] {

  def this() = this(Identifiable.randomUID("BertForSequenceClassification"))

  private[albertine] override def native: String = "BertForSequenceClassification"
}

/** Makes and reads [[BertForSequenceClassification]]s. */
object BertForSequenceClassification extends DefaultParamsReadable[BertForSequenceClassification] {

  /** A stage without a model, which [[load]] and [[pretrained()*]] give. */
  def apply(): BertForSequenceClassification = new BertForSequenceClassification()

  private def reader =
    new ModelReader(classOf[BertForSequenceClassification], super.read, () => new BertForSequenceClassification())

  override def read: MLReader[BertForSequenceClassification] = reader

  /** The stage with Spark NLP's default model, once `albertine models list --refresh` has read Spark NLP's index. */
  def pretrained(): BertForSequenceClassification = pretrained("bert_base_sequence_classifier_imdb")

  /**
   * The stage with the model of a name, downloaded and kept if it is not on this machine.
   *
   * @param name a published model (`bert_base_sequence_classifier_imdb`), a repository of the Hugging Face hub
   *   (`owner/name`, `owner/name@revision`), a URL or a path
   * @throws albertine.ModelNotFoundException there is none of the name; the message says what to do
   * @throws albertine.HubException it cannot be downloaded
   * @throws albertine.ModelException its files are damaged, or it is of another family
   */
  def pretrained(name: String): BertForSequenceClassification = pretrained(name, "en")

  /** As the other, for texts in a language. */
  def pretrained(name: String, lang: String): BertForSequenceClassification = pretrained(name, lang, null)

  /** As the other; published models are looked for in `location`, a folder or a URL, not in Spark NLP's folder. */
  def pretrained(name: String, lang: String, location: String): BertForSequenceClassification =
    reader.named(name, lang, location)

  /**
   * A model from disk: a stage that was saved, a model directory of Hugging Face's layout, a TensorFlow SavedModel or
   * ONNX export, what Spark NLP saved, or a zip or tar archive of any.
   *
   * @throws albertine.ModelNotFoundException nothing is there
   * @throws albertine.ModelException it is no model, or a damaged one
   */
  override def load(path: String): BertForSequenceClassification = reader.load(path)

  /** As [[load]]; a session is not needed. */
  def loadSavedModel(path: String, spark: SparkSession): BertForSequenceClassification = load(path)
}
