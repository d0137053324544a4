package albertine.base

import albertine.{Annotation, IAnnotation, JavaAnnotation, PipelineException}
import albertine.internal.NativePipeline
import albertine.internal.spark._
import org.apache.spark.ml.{PipelineModel, PipelineStage, Transformer}
import org.apache.spark.sql.{DataFrame, Dataset}

import scala.collection.JavaConverters._

/**
 * A pipeline for texts in hand, without a table. Threads may share it.
 *
 * Stages of Spark ML are skipped, since they work on tables alone. A [[Finisher]] renames nothing here: it only limits
 * the result to its input columns, as in Spark NLP. A text that is `null` is an empty one, as in a table.
 *
 * @param pipelineModel a fitted pipeline that begins with a [[DocumentAssembler]]
 * @param parseEmbeddingsVectors accepted; there are no embeddings
 */
class LightPipeline(val pipelineModel: PipelineModel, val parseEmbeddingsVectors: Boolean) {

  def this(pipelineModel: PipelineModel) = this(pipelineModel, false)

  private var ignoreUnsupported = false
  private var native: Option[(Seq[Spec], NativePipeline)] = None

  /** Sets whether anything that is no stage of ours or of Spark's is skipped. */
  def setIgnoreUnsupported(value: Boolean): this.type = {
    ignoreUnsupported = value
    this
  }

  /** Whether anything that is no stage of ours or of Spark's is skipped. */
  def getIgnoreUnsupported: Boolean = ignoreUnsupported

  /** The stages of the pipeline. */
  def getStages: Array[Transformer] = pipelineModel.stages

  private def stages: Seq[PipelineStage] = LightPipeline.flat(pipelineModel)

  /** The stages as they are now, which may have been set anew since the last call. */
  private def pipeline: NativePipeline = synchronized {
    val specs = stages.collect {
      case stage: Annotator       => Some(stage.spec)
      case _: Transformer         => None
      case _ if ignoreUnsupported => None
      case other =>
        throw new PipelineException(s"$other cannot work without a table; setIgnoreUnsupported(true) skips such stages")
    }.flatten
    native match {
      case Some((known, made)) if known == specs => made
      case _ =>
        val made = Spec.pipeline(specs)
        native = Some((specs, made))
        made
    }
  }

  /** The annotations of texts by column, in the order of the stages. */
  private def annotations(texts: Seq[String]): Seq[Seq[(String, Seq[Annotation])]] = {
    val made = pipeline
    val answer = made.annotate(texts.asJava)
    Truncation.read(answer).foreach { case (count, limit) => Truncation.warn(count, limit) }
    val columns = (0 until answer.readInt()).map { _ =>
      val name = answer.readText()
      name -> ColumnReader.annotations(answer, texts.size)
    }.toMap
    val order = stages.collect { case stage: HasOutputCol => stage.getOutputCol }.distinct
    texts.indices.map(row =>
      order.flatMap(name => columns.get(name).map(column => name -> Annotation.all(column(row))))
    )
  }

  /** The annotations of a text, by column.
    *
    * @throws albertine.RowException a text cannot be worked on
    * @throws albertine.PipelineException the pipeline does not begin with a [[DocumentAssembler]]
    */
  def fullAnnotate(target: String): Map[String, Seq[IAnnotation]] = fullAnnotate(Array(target)).head

  /** The annotations of each text, by column: many at once are faster than one by one. */
  def fullAnnotate(targets: Array[String]): Array[Map[String, Seq[IAnnotation]]] =
    annotations(targets.toSeq).map(row =>
      scala.collection.immutable.ListMap(row: _*): Map[String, Seq[IAnnotation]]
    ).toArray

  /** The results of a text, by column. */
  def annotate(target: String): Map[String, Seq[String]] = annotate(Array(target)).head

  /** The results of each text, by column. */
  def annotate(targets: Array[String]): Array[Map[String, Seq[String]]] =
    annotations(targets.toSeq).map { row =>
      val results = row.map { case (name, found) => name -> found.map(_.result) }
      scala.collection.immutable.ListMap(results: _*): Map[String, Seq[String]]
    }.toArray

  /** The annotations of a text, by column: for Java. */
  def fullAnnotateJava(target: String): java.util.Map[String, java.util.List[IAnnotation]] =
    fullAnnotateJava(java.util.Collections.singletonList(target)).get(0)

  /** The annotations of each text, by column: for Java. */
  def fullAnnotateJava(targets: java.util.List[String])
      : java.util.List[java.util.Map[String, java.util.List[IAnnotation]]] =
    javaRows(targets)(one =>
      JavaAnnotation(
        one.annotatorType,
        one.begin,
        one.end,
        one.result,
        one.metadata.asJava,
        one.embeddings
      ): IAnnotation
    )

  /** The results of a text, by column: for Java. */
  def annotateJava(target: String): java.util.Map[String, java.util.List[String]] =
    annotateJava(java.util.Collections.singletonList(target)).get(0)

  /** The results of each text, by column: for Java. */
  def annotateJava(targets: java.util.List[String]): java.util.List[java.util.Map[String, java.util.List[String]]] =
    javaRows(targets)(_.result)

  private def javaRows[T](targets: java.util.List[String])(value: Annotation => T)
      : java.util.List[java.util.Map[String, java.util.List[T]]] =
    new java.util.ArrayList(annotations(targets.asScala.toList).map { row =>
      val columns = new java.util.LinkedHashMap[String, java.util.List[T]]()
      row.foreach { case (name, found) => columns.put(name, new java.util.ArrayList(found.map(value).asJava)) }
      columns: java.util.Map[String, java.util.List[T]]
    }.asJava)

  /** A table through the pipeline. */
  def transform(dataFrame: Dataset[_]): DataFrame = pipelineModel.transform(dataFrame)
}

private[albertine] object LightPipeline {

  /** Stages with those of pipelines among them. */
  def flat(stage: PipelineStage): Seq[PipelineStage] = stage match {
    case pipeline: PipelineModel => pipeline.stages.toSeq.flatMap(flat)
    case other                   => Seq(other)
  }
}
