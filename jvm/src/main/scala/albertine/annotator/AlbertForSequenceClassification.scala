package albertine.annotator

import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader}
import org.apache.spark.sql.SparkSession

/** Documents or sentences to classes, with an ALBERT model: see [[ForSequenceClassification]]. */
class AlbertForSequenceClassification(override val uid: String)
    extends ForSequenceClassification[AlbertForSequenceClassification] {

  def this() = this(Identifiable.randomUID("AlbertForSequenceClassification"))

  private[albertine] override def native: String = "AlbertForSequenceClassification"
}

/** Makes and reads [[AlbertForSequenceClassification]]s. */
object AlbertForSequenceClassification extends DefaultParamsReadable[AlbertForSequenceClassification] {

  /** A stage without a model, which [[load]] and [[pretrained()*]] give. */
  def apply(): AlbertForSequenceClassification = new AlbertForSequenceClassification()

  private def reader =
    new ModelReader(classOf[AlbertForSequenceClassification], super.read, () => new AlbertForSequenceClassification())

  override def read: MLReader[AlbertForSequenceClassification] = reader

  /** The stage with the built-in model, for four classes of news. */
  def pretrained(): AlbertForSequenceClassification = pretrained("ag_news")

  /**
   * The stage with the model of a name, downloaded and kept if it is not on this machine.
   *
   * @param name a built-in model (`ag_news`), a published one (`albert_base_sequence_classifier_ag_news`), a
   *   repository of the Hugging Face hub (`owner/name`, `owner/name@revision`), a URL or a path
   * @throws albertine.ModelNotFoundException there is none of the name; the message says what to do
   * @throws albertine.HubException it cannot be downloaded
   * @throws albertine.ModelException its files are damaged, or it is of another family
   */
  def pretrained(name: String): AlbertForSequenceClassification = pretrained(name, "en")

  /** As the other, for texts in a language. */
  def pretrained(name: String, lang: String): AlbertForSequenceClassification = pretrained(name, lang, null)

  /** As the other; published models are looked for in `location`, a folder or a URL, not in Spark NLP's folder. */
  def pretrained(name: String, lang: String, location: String): AlbertForSequenceClassification =
    reader.named(name, lang, location)

  /**
   * A model from disk: a stage that was saved, a model directory of Hugging Face's layout, a TensorFlow SavedModel or
   * ONNX export, what Spark NLP saved, or a zip or tar archive of any.
   *
   * @throws albertine.ModelNotFoundException nothing is there
   * @throws albertine.ModelException it is no model, or a damaged one
   */
  override def load(path: String): AlbertForSequenceClassification = reader.load(path)

  /** As [[load]]; a session is not needed. */
  def loadSavedModel(path: String, spark: SparkSession): AlbertForSequenceClassification = load(path)
}
