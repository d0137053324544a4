package albertine.internal.spark

import albertine.internal.Message
import org.apache.spark.SparkContext
import org.apache.spark.scheduler.{SparkListener, SparkListenerStageCompleted}
import org.apache.spark.util.LongAccumulator
import org.slf4j.LoggerFactory

/** Counts the texts that the classifiers of a chain cut, one accumulator for each. */
private[spark] final class Truncation(counts: Array[LongAccumulator]) extends Serializable {

  /** Adds what a window counted. */
  def add(answer: Message.Reader): Unit =
    (0 until answer.readInt()).foreach { classifier =>
      val cut = answer.readLong()
      answer.readInt() // the limit, which the name of the accumulator has
      if (cut > 0 && classifier < counts.length) counts(classifier).add(cut)
    }
}

private[albertine] object Truncation {
  private val Name = "texts over ([0-9]+) tokens, cut by albertine".r
  private val log = LoggerFactory.getLogger("albertine")

  /** For classifiers that read at most so many tokens of a text. */
  private[spark] def of(limits: Seq[Int], context: SparkContext): Truncation = {
    if (limits.nonEmpty) tell(context)
    new Truncation(limits.map(limit => context.longAccumulator(s"texts over $limit tokens, cut by albertine")).toArray)
  }

  /** Skips the counts of an answer. */
  private[albertine] def read(answer: Message.Reader): Seq[(Long, Int)] =
    (0 until answer.readInt()).map(_ => (answer.readLong(), answer.readInt()))

  /** What is told of texts that were cut. */
  private[albertine] def warn(cut: Long, limit: Int): Unit = if (cut > 0) {
    val (texts, were) = if (cut == 1) ("text", "was") else ("texts", "were")
    log.warn(
      s"$cut $texts of more than $limit tokens $were cut: setMaxSentenceLength or setWindowOverlap would read more"
    )
  }

  private val told = java.util.Collections.newSetFromMap(new java.util.WeakHashMap[SparkContext, java.lang.Boolean])

  /** Has the driver told of texts that were cut, when a stage of a job ends. */
  private def tell(context: SparkContext): Unit = told.synchronized {
    if (told.add(context)) context.addSparkListener(new SparkListener {
      override def onStageCompleted(stage: SparkListenerStageCompleted): Unit =
        stage.stageInfo.accumulables.values.foreach { found =>
          (found.name, found.value) match {
            case (Some(Name(limit)), Some(cut: Long)) => warn(cut, limit.toInt)
            case _                                    =>
          }
        }
    })
  }
}
