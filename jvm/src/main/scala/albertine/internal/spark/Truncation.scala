package albertine.internal.spark

import albertine.internal.Message
import org.apache.spark.SparkContext
import org.apache.spark.scheduler.{SparkListener, SparkListenerStageCompleted}
import org.apache.spark.util.LongAccumulator
import org.slf4j.LoggerFactory

/** Counts the texts that the classifiers of a chain truncate, an accumulator for each. */
@SerialVersionUID(1L)
private[spark] final class Truncation(counts: Array[LongAccumulator]) extends Serializable {

  /** Adds what a window counted. */
  def add(answer: Message.Reader): Unit =
    (0 until answer.readInt()).foreach { classifier =>
      val truncated = answer.readLong()
      answer.readInt() // the limit, which the name of the accumulator has
      if (truncated > 0 && classifier < counts.length) counts(classifier).add(truncated)
    }
}

private[albertine] object Truncation {
  private val Name = "texts over ([0-9]+) tokens, truncated by albertine".r
  private val log = LoggerFactory.getLogger("albertine")

  /** For classifiers that read at most so many tokens of a text. */
  private[spark] def of(limits: Seq[Int], context: SparkContext): Truncation = {
    if (limits.nonEmpty) tell(context)
    val name = (limit: Int) => s"texts over $limit tokens, truncated by albertine"
    new Truncation(limits.map(limit => context.longAccumulator(name(limit))).toArray)
  }

  /** The counts of an answer: of each classifier the texts that it truncated, and its limit. */
  private[albertine] def read(answer: Message.Reader): Seq[(Long, Int)] =
    (0 until answer.readInt()).map(_ => (answer.readLong(), answer.readInt()))

  /** What is told of texts that were truncated. */
  private[albertine] def warn(count: Long, limit: Int): Unit = if (count > 0) {
    val (texts, were) = if (count == 1) ("text", "was") else ("texts", "were")
    log.warn(
      s"$count $texts of more than $limit tokens $were truncated: " +
        "setMaxSentenceLength or setWindowOverlap would read more"
    )
  }

  /** How much accumulators, which go on from job to job, have grown since they were last looked at. */
  private[spark] final class Growth {
    private val last = new java.util.LinkedHashMap[Long, Long] {
      // of those that are looked at no more
      override def removeEldestEntry(eldest: java.util.Map.Entry[Long, Long]): Boolean = size > 1000
    }

    def apply(accumulator: Long, value: Long): Long = {
      val before = if (last.containsKey(accumulator)) last.remove(accumulator) else 0L
      last.put(accumulator, value)
      value - before
    }
  }

  private val told = java.util.Collections.newSetFromMap(new java.util.WeakHashMap[SparkContext, java.lang.Boolean])

  /** Has the driver told of texts that were truncated, when a stage of a job ends. */
  private def tell(context: SparkContext): Unit = told.synchronized {
    if (told.add(context)) context.addSparkListener(new SparkListener {
      private val growth = new Growth

      override def onStageCompleted(stage: SparkListenerStageCompleted): Unit =
        stage.stageInfo.accumulables.values.foreach { found =>
          (found.name, found.value) match {
            case (Some(Name(limit)), Some(count: Long)) => warn(growth(found.id, count), limit.toInt)
            case _                                      =>
          }
        }
    })
  }
}
