package albertine.annotator

import albertine.PipelineException
import albertine.internal.{Model => NativeModel}
import albertine.internal.spark._
import org.apache.spark.ml.util.MLReader

/** How stages with models come: by name, from disk. */
private[annotator] final class ModelReader[T <: ForSequenceClassification[T]](
    cls: Class[T],
    ours: MLReader[T],
    empty: () => T
) extends MLReader[T] {

  /** The stage with the model of a name. */
  def named(name: String, lang: String, location: String): T = {
    val settings = new NativeModel.Settings()
    settings.lang = lang
    settings.location = location
    empty().withModel(NativeModel.load(name, settings), None)
  }

  override def load(path: String): T = Saved.guarded(path) {
    val found = Fetched(path)
    Saved.classAt(found.local) match {
      case Some(name) if name == cls.getName => saved(found)
      case Some(name) if name.startsWith("albertine.") =>
        throw new PipelineException(s"$path holds $name, not a ${cls.getSimpleName}")
      case _ => empty().withModel(NativeModel.load(found.local.toString, new NativeModel.Settings()), Some(found))
    }
  }

  /** A stage of ours: its parameters as Spark reads them, and its model beside. */
  private def saved(found: Fetched): T = {
    val folder = found.local.resolve("model")
    val model = NativeModel.load(folder.toString, new NativeModel.Settings())
    ours.load(found.asHadoop).withModel(model, Some(found), Some(new OpenFiles(folder)))
  }
}

private[albertine] object ModelReader {

  /** A stage with a model that came with a pipeline. */
  def albert(model: NativeModel, in: Option[Fetched]): AlbertForSequenceClassification =
    AlbertForSequenceClassification().withModel(model, in)

  /** A stage with a model that came with a pipeline. */
  def bert(model: NativeModel, in: Option[Fetched]): BertForSequenceClassification =
    BertForSequenceClassification().withModel(model, in)
}
