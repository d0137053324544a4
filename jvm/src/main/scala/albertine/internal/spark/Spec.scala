package albertine.internal.spark

import albertine.internal.{Model, NativePipeline}

import scala.collection.JavaConverters._

/** A stage as the native library takes it: its class, its parameters as JSON, its model. */
private[albertine] final case class Spec(name: String, params: Map[String, String], model: Option[Model]) {

  def native: NativePipeline.Stage = new NativePipeline.Stage(name, params.asJava, model.orNull)

  /** The columns that it reads. */
  def reads: Seq[String] = Spec.Reads.flatMap(params.get).flatMap(Spec.names)

  /** The columns that it writes under a name that was set. */
  def writes: Seq[String] = params.get("outputCol").toSeq.flatMap(Spec.names)

  /** The same stage with the columns that it reads under other names. */
  def reading(spelled: String => String): Spec = {
    val changed = for (param <- Spec.Reads; json <- params.get(param)) yield {
      val names = Spec.names(json).map(name => Spec.quoted(spelled(name)))
      param -> (if (json.startsWith("[")) names.mkString("[", ",", "]") else names.head)
    }
    copy(params = params ++ changed)
  }
}

private[albertine] object Spec {

  /** The parameters that name columns to read. */
  private val Reads = Seq("inputCol", "inputCols", "idCol", "metadataCol")

  /** A pipeline of stages. */
  def pipeline(specs: Seq[Spec], threads: Int = 0): NativePipeline =
    NativePipeline.of(specs.map(_.native).asJava, threads)

  private val mapper = new com.fasterxml.jackson.databind.ObjectMapper()

  /** The names in a text or a list of texts. */
  private def names(json: String): Seq[String] = {
    val tree = mapper.readTree(json)
    if (tree.isArray) tree.elements.asScala.map(_.asText).toList else Seq(tree.asText)
  }

  private def quoted(text: String): String = mapper.writeValueAsString(text)
}
