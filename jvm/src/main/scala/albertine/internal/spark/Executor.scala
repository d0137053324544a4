package albertine.internal.spark

import albertine.AlbertineException
import albertine.internal.{Model, NativePipeline}

import scala.collection.mutable

/**
 * The pipelines and models of this JVM, which its tasks share: a model is loaded once, however many tasks want it.
 *
 * A task that has one thread works on it, in a pipeline that others may use at the same time. One that Spark has given
 * more (`spark.task.cpus`) has a pipeline, and so threads, of its own, over the same weights.
 */
private[spark] object Executor {

  /** The most pipelines that are kept while no task uses them. */
  private val Kept = 4

  private final class Entry(
      val key: Any,
      val pipeline: NativePipeline,
      val models: Set[ModelKey],
      val shared: Boolean
  ) {
    var users = 0
  }

  /** The pipelines, the last used at the end. */
  private val entries = mutable.ArrayBuffer.empty[Entry]
  private val models = mutable.Map.empty[ModelKey, Model]

  /** A pipeline for a task, over its columns, until it is released. */
  final class Lease private[Executor] (entry: Entry, schema: String, number: Option[String]) {
    private var released = false

    /** Takes batches. */
    val run: NativePipeline.Run =
      try entry.pipeline.run(schema, number.orNull)
      catch { case error: Throwable => release(); throw error }

    /** Lets others have the pipeline; nothing happens at a second call. */
    def release(): Unit = Executor.synchronized {
      if (!released) {
        released = true
        entry.users -= 1
        if (run != null) run.close()
        makeRoom()
      }
    }
  }

  /** A pipeline of the stages, with so many threads. */
  def lease(version: String, stages: Array[ShippedStage], schema: String, number: Option[String], threads: Int): Lease =
    synchronized {
      if (version != Task.version)
        throw new AlbertineException(s"albertine is ${Task.version} on an executor and $version on the driver")
      val key = (threads, stages.map(_.key).toSeq)
      val entry = entries.find(entry => entry.key == key && (entry.shared || entry.users == 0)).getOrElse {
        val found = stages.flatMap(_.model).toSeq
        forgetReplaced(found.map(_.key))
        val specs = stages.toSeq.map(stage => Spec(stage.name, stage.params, stage.model.map(loaded)))
        new Entry(key, Spec.pipeline(specs, threads), found.map(_.key).toSet, threads == 1)
      }
      entries -= entry
      entries += entry
      entry.users += 1
      makeRoom()
      new Lease(entry, schema, number)
    }

  private def loaded(model: ShippedModel): Model = models.getOrElseUpdate(model.key, model.load())

  /** Forgets pipelines whose model is another by now. */
  private def forgetReplaced(keys: Seq[ModelKey]): Unit = {
    val isOld = (old: ModelKey) =>
      keys.exists(key => key.name == old.name && key.precision == old.precision && key.stamp != old.stamp)
    close(entries.filter(entry => entry.users == 0 && entry.models.exists(isOld)).toSeq)
  }

  /** Forgets pipelines that were not used for long, and models of no pipeline. */
  private def makeRoom(): Unit = {
    close(entries.filter(_.users == 0).dropRight(Kept).toSeq)
    val used = entries.flatMap(_.models).toSet
    models.keys.filterNot(used).toList.foreach(key => models.remove(key).foreach(_.close()))
  }

  private def close(old: Seq[Entry]): Unit = {
    entries --= old
    old.foreach(_.pipeline.close())
  }
}
