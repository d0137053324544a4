package albertine.pretrained

import albertine.internal.{Message, Native}
import org.apache.spark.ml.PipelineModel

/**
 * Spark NLP's object of this name, on top of the hub of this package; models on this machine need no network.
 *
 * The models are those of the index inside the jar, and of the one downloaded by `albertine models list --refresh`.
 */
object ResourceDownloader {

  private final case class Published(
      name: String,
      lang: String,
      version: String,
      isPipeline: Boolean,
      annotator: String,
      archive: String
  )

  private def published(lang: String, version: String): Seq[Published] = {
    val answer = Native.ask(new Message.Writer(Native.PUBLISHED_MODELS).put(lang).put(version))
    (0 until answer.readInt()).map { _ =>
      Published(
        answer.readText(),
        answer.readText(),
        answer.readText(),
        answer.readFlag(),
        answer.readText(),
        answer.readText()
      )
    }
  }

  private final case class Known(name: String, lang: String, origin: String, path: String)

  private def known: Seq[Known] = {
    val answer = Native.ask(new Message.Writer(Native.KNOWN_MODELS))
    (0 until answer.readInt()).map(_ =>
      Known(answer.readText(), answer.readText(), answer.readText(), answer.readText())
    )
  }

  /** Prints the models that are published and the built-in one, as a table. */
  def showPublicModels(): Unit = showPublicModels(null, null, null)

  /** As the other, of an annotator. */
  def showPublicModels(annotator: String): Unit = showPublicModels(annotator, null, null)

  /** As the other, for texts in a language. */
  def showPublicModels(annotator: String, lang: String): Unit = showPublicModels(annotator, lang, null)

  /**
   * Prints the models that are published and the built-in one, as a table; `null` asks for any.
   *
   * @param annotator only those of an annotator, in any case
   * @param lang only those for texts in a language
   * @param version only those that a version of Spark NLP reads, such as `3.4.0`
   * @throws albertine.ParamException the version is none
   */
  def showPublicModels(annotator: String, lang: String, version: String): Unit = print(models(annotator, lang, version))

  private[albertine] def models(annotator: String, lang: String, version: String): String = {
    val isAsked = (kind: String) => annotator == null || annotator.equalsIgnoreCase(kind)
    val built = known.filter(one => one.origin == "built in" && isAsked(Default) && (lang == null || lang == one.lang))
    val found = published(lang, version).filter(one => !one.isPipeline && isAsked(one.annotator))
    table("Model", built.map(one => Seq(one.name, one.lang, one.origin)) ++ found.map(row))
  }

  /** Prints the pipelines that are published, as a table. */
  def showPublicPipelines(): Unit = showPublicPipelines(null, null)

  /** As the other, for texts in a language. */
  def showPublicPipelines(lang: String): Unit = showPublicPipelines(lang, null)

  /** As the other, that a version of Spark NLP reads. */
  def showPublicPipelines(lang: String, version: String): Unit =
    print(table("Pipeline", published(lang, version).filter(_.isPipeline).map(row)))

  /** Prints an empty table: nothing but models and pipelines is taken from an index. */
  def showUnCategorizedResources(): Unit = print(table("Resource", Nil))

  /** Prints the annotators that models are published for, one a line. */
  def showAvailableAnnotators(): Unit = println(Default)

  private val Default = "AlbertForSequenceClassification"

  /** Removes a model from the cache, in all its versions; nothing happens if it is not there. */
  def clearCache(name: String): Unit = clearCache(name, null, null)

  /** As the other; `language` and `location` are accepted: the archives of a name go together. */
  def clearCache(name: String, language: String, location: String): Unit =
    if (known.exists(one => one.path != null && (one.name == name || one.name.takeWhile(_ != '@') == name)))
      Native.ask(new Message.Writer(Native.REMOVE).put(name))

  /** The pipeline of a name, downloaded if it is not on this machine. */
  def downloadPipeline(name: String, language: String, location: String): PipelineModel =
    new PretrainedPipeline(name, language, location).model

  /** As the other, from the places that are known. */
  def downloadPipeline(name: String, language: String): PipelineModel = downloadPipeline(name, language, null)

  /** Downloads a model into the cache, and gives its path; `null` for a built-in one.
    *
    * @param name an archive as the models hub names it, its URL, or the name of a model
    * @throws albertine.ModelNotFoundException there is none
    * @throws albertine.HubException it cannot be downloaded
    */
  def downloadModelDirectly(name: String): String = {
    val named = published(null, null).filter(_.archive == name.split('/').last)
    val (asked, lang) = named match {
      case Seq(one)                      => (one.name, one.lang)
      case _ if name.startsWith("s3://") => (s"https://s3.amazonaws.com/${name.stripPrefix("s3://")}", null)
      case _ if name.endsWith(".zip") && !name.contains("/") => (s"$Bucket/$name", null)
      case _                                                 => (name, null)
    }
    Native.ask(new Message.Writer(Native.PULL).put(asked).put(lang)).readText()
  }

  private val Bucket = "https://s3.amazonaws.com/auxdata.johnsnowlabs.com/public/models"

  private def row(one: Published): Seq[String] = Seq(one.name, one.lang, one.version).map(Option(_).getOrElse(""))

  /** A table as Spark NLP prints it. */
  private def table(title: String, rows: Seq[Seq[String]]): String = {
    val lines = Seq(title, "lang", "version") +: rows
    val widths = lines.transpose.map(_.map(_.length).max)
    val rule = widths.map(width => "-" * (width + 2)).mkString("+", "+", "+")
    val printed =
      lines.map(_.zip(widths).map { case (cell, width) => cell.padTo(width, ' ') }.mkString("| ", " | ", " |"))
    (Seq(rule, printed.head, rule) ++ printed.tail ++ (if (rows.isEmpty) Nil else Seq(rule))).mkString("", "\n", "\n")
  }
}
