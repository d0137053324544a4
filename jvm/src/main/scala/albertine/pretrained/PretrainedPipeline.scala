package albertine.pretrained

import albertine.{ColumnException, IAnnotation, PipelineException}
import albertine.annotator._
import albertine.base._
import albertine.internal.NativePipeline
import albertine.internal.spark._
import org.apache.spark.ml.{Pipeline, PipelineModel, PipelineStage, Transformer}
import org.apache.spark.sql.{DataFrame, Dataset, Row, SparkSession}
import org.apache.spark.sql.types.{MapType, StringType, StructField, StructType}

/**
 * A whole pipeline by name or from disk, for tables and for texts in hand.
 *
 * @param model the pipeline
 */
class PretrainedPipeline private (val model: PipelineModel) {

  /**
   * The pipeline of a name.
   *
   * @param downloadName its name on the models hub, a repository, a URL or a path
   * @param lang the language of its texts
   * @param source where it is looked for instead of Spark NLP's public folder: a folder or a URL; `null` for that
   * @throws albertine.ModelNotFoundException no pipeline has the name
   * @throws albertine.PipelineException what is there is no pipeline
   */
  def this(downloadName: String, lang: String, source: String) =
    this(PretrainedPipeline.named(downloadName, lang, source))

  /** As the other, from the places that are known. */
  def this(downloadName: String, lang: String) = this(downloadName, lang, null)

  /** As the other, for English. */
  def this(downloadName: String) = this(downloadName, "en")

  /** The pipeline for texts in hand. */
  val lightModel: LightPipeline = new LightPipeline(model)

  /** A table with a column of texts through the pipeline: the column is called as its first stage wants it.
    *
    * @throws albertine.ColumnException the table has no such column
    */
  def annotate(dataset: DataFrame, inputColumn: String): DataFrame =
    model.transform(PretrainedPipeline.renamed(model, dataset, inputColumn))

  /** The results of a text, by column. */
  def annotate(target: String): Map[String, Seq[String]] = lightModel.annotate(target)

  /** The results of each text, by column. */
  def annotate(targets: Array[String]): Array[Map[String, Seq[String]]] = lightModel.annotate(targets)

  /** The annotations of a text, by column. */
  def fullAnnotate(target: String): Map[String, Seq[IAnnotation]] = lightModel.fullAnnotate(target)

  /** The annotations of each text, by column. */
  def fullAnnotate(targets: Array[String]): Array[Map[String, Seq[IAnnotation]]] = lightModel.fullAnnotate(targets)

  /** The results of a text, by column: for Java. */
  def annotateJava(target: String): java.util.Map[String, java.util.List[String]] = lightModel.annotateJava(target)

  /** The results of each text, by column: for Java. */
  def annotateJava(targets: java.util.List[String]): java.util.List[java.util.Map[String, java.util.List[String]]] =
    lightModel.annotateJava(targets)

  /** The annotations of a text, by column: for Java. */
  def fullAnnotateJava(target: String): java.util.Map[String, java.util.List[IAnnotation]] =
    lightModel.fullAnnotateJava(target)

  /** The annotations of each text, by column: for Java. */
  def fullAnnotateJava(targets: java.util.List[String])
      : java.util.List[java.util.Map[String, java.util.List[IAnnotation]]] =
    lightModel.fullAnnotateJava(targets)

  /** Adds what the stages write to a table. */
  def transform(dataFrame: DataFrame): DataFrame = model.transform(dataFrame)
}

/** Reads pipelines. */
object PretrainedPipeline {

  /** As `new PretrainedPipeline(..)`. */
  def apply(downloadName: String, lang: String = "en", source: String = null): PretrainedPipeline =
    new PretrainedPipeline(downloadName, lang, source)

  /** A saved pipeline: ours, from here or from Python, or Spark NLP's, as a folder or an archive.
    *
    * @throws albertine.ModelNotFoundException nothing is at the path
    * @throws albertine.PipelineException it is no pipeline, or has stages that there are not here
    */
  def fromDisk(path: String, parseEmbeddings: Boolean = false): PretrainedPipeline = new PretrainedPipeline(load(path))

  /** As the other: for Java. */
  def fromDisk(path: String): PretrainedPipeline = new PretrainedPipeline(load(path))

  private def load(path: String): PipelineModel = Saved.guarded(path) {
    val found = Fetched(path)
    val made = Saved.classAt(found.local) match {
      case Some(name) if name.endsWith(".ml.PipelineModel") || name.endsWith(".ml.pipeline.PipelineModel") =>
        ours(found)
      case _ => None
    }
    made.getOrElse(of(NativePipeline.load(found.local.toString), Some(found)))
  }

  /** The pipeline in a folder of Spark ML's layout, if all of its stages are ours. */
  private def ours(found: Fetched): Option[PipelineModel] = {
    val folders = Option(found.local.resolve("stages").toFile.listFiles()).getOrElse(Array.empty).filter(_.isDirectory)
    val numbered = folders.filter(_.getName.headOption.exists(_.isDigit)).sortBy(_.getName.takeWhile(_.isDigit).toInt)
    val stages = numbered.toSeq.map(folder => stage(folder.toString, Saved.classAt(folder.toPath).getOrElse("")))
    if (stages.forall(_.nonEmpty)) Some(pipeline(stages.flatten)) else None
  }

  private def stage(path: String, name: String): Option[Transformer] = name match {
    case "albertine.base.DocumentAssembler"                    => Some(DocumentAssembler.load(path))
    case "albertine.base.Finisher"                             => Some(Finisher.load(path))
    case "albertine.annotator.SentenceDetector"                => Some(SentenceDetector.load(path))
    case "albertine.annotator.TokenizerModel"                  => Some(TokenizerModel.load(path))
    case "albertine.annotator.Tokenizer"                       => Some(Tokenizer.load(path).fit(null))
    case "albertine.annotator.AlbertForSequenceClassification" => Some(AlbertForSequenceClassification.load(path))
    case "albertine.annotator.BertForSequenceClassification"   => Some(BertForSequenceClassification.load(path))
    case pipeline if pipeline.endsWith(".ml.PipelineModel") || pipeline.endsWith(".ml.pipeline.PipelineModel") =>
      ours(Fetched(path))
    case _ => None
  }

  private[pretrained] def named(name: String, lang: String, source: String): PipelineModel =
    of(NativePipeline.pretrained(name, lang, source), None)

  /** The stages of a native pipeline. */
  private def of(native: NativePipeline, found: Option[Fetched]): PipelineModel =
    try pipeline(native.stages().toSeq.map { stage =>
        val values = Saved.asMap(stage.params)
        stage.name match {
          case "DocumentAssembler"               => DocumentAssembler().setValues(values)
          case "Finisher"                        => Finisher().setValues(values)
          case "SentenceDetector"                => SentenceDetector().setValues(values)
          case "Tokenizer" | "TokenizerModel"    => new TokenizerModel().setValues(values)
          case "AlbertForSequenceClassification" => ModelReader.albert(stage.model, found).setValues(values)
          case "BertForSequenceClassification"   => ModelReader.bert(stage.model, found).setValues(values)
          case other                             => throw new PipelineException(s"there is no stage $other here")
        }
      })
    finally native.close()

  /** Spark's pipeline of stages that are fitted. Its constructor is not public: a pipeline to be fitted makes it. */
  private def pipeline(stages: Seq[Transformer]): PipelineModel = {
    val flat = stages.flatMap(stage => LightPipeline.flat(stage))
    val columns = flat.collectFirst { case first: DocumentAssembler =>
      Seq(StructField(first.getInputCol, StringType)) ++
        Option(first.getIdCol).map(StructField(_, StringType)) ++
        Option(first.getMetadataCol).map(StructField(_, MapType(StringType, StringType)))
    }
    val session = SparkSession.builder().getOrCreate()
    val empty = session.createDataFrame(java.util.Collections.emptyList[Row](), StructType(columns.getOrElse(Nil)))
    new Pipeline().setStages(stages.toArray[PipelineStage]).fit(empty)
  }

  private def renamed(model: PipelineModel, table: Dataset[_], column: String): DataFrame = {
    val isColumn = (name: String) => if (Schemas.isCaseSensitive) name == column else name.equalsIgnoreCase(column)
    // Spark would rename nothing, and the pipeline would read another column
    if (!table.columns.exists(isColumn)) throw new ColumnException(s"there is no column `$column`")
    LightPipeline.flat(model).collectFirst { case first: DocumentAssembler => first.getInputCol } match {
      case Some(name) => table.withColumnRenamed(column, name)
      case None       => table.toDF()
    }
  }
}
