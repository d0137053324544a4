package albertine.base

import org.apache.spark.ml.{Pipeline, PipelineModel, PipelineStage}
import org.apache.spark.ml.util.Identifiable
import org.apache.spark.sql.Dataset

/**
 * Spark's `Pipeline` under the name that Spark NLP gives one whose stages are told of those before them: no stage here
 * needs to know.
 */
class RecursivePipeline(override val uid: String) extends Pipeline(uid) {

  def this() = this(Identifiable.randomUID("RecursivePipeline"))

  override def setStages(value: Array[_ <: PipelineStage]): this.type = super.setStages(value)

  override def fit(dataset: Dataset[_]): PipelineModel = super.fit(dataset)
}

/** Makes [[RecursivePipeline]]s. */
object RecursivePipeline {

  /** A pipeline without stages. */
  def apply(): RecursivePipeline = new RecursivePipeline()
}
