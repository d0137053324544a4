package albertine.internal.spark

import albertine.ParamException
import albertine.internal.NativePipeline
import org.apache.spark.ml.{PipelineStage, Transformer}
import org.apache.spark.ml.param._
import org.apache.spark.ml.util.DefaultParamsWritable
import org.apache.spark.sql.{DataFrame, Dataset}
import org.apache.spark.sql.types.StructType

import scala.collection.JavaConverters._
import scala.util.Try

/**
 * A stage with Spark NLP's parameters; what it does is done by the native library.
 *
 * The traits of stages do not extend `PipelineStage`: what an array of several stages erases to is the class that they
 * have in common, and `Pipeline.setStages` wants an array of `PipelineStage`.
 */
private[albertine] trait Annotator extends Params with DefaultParamsWritable { this: PipelineStage =>

  /** The name of its class in the native library, which is Spark NLP's. */
  private[albertine] def native: String

  /** What was set, by name, as JSON. */
  private[albertine] def values: Map[String, String] =
    params.toSeq.filter(isSet).map(param => param.name -> Annotator.json(param, get(param).orNull)).toMap

  /** The stage as the native library takes it. */
  private[albertine] def spec: Spec = Spec(native, values, None)

  /** Sets the values that parameters have unless others are set. */
  private[albertine] def setDefaults(defaults: java.util.Map[String, String]): Unit =
    for ((name, json) <- defaults.asScala if hasParam(name)) {
      val param = getParam(name).asInstanceOf[Param[Any]]
      setDefault(param, param.jsonDecode(json))
    }

  /** Sets values that were saved. */
  private[albertine] def setValues(values: Map[String, String]): this.type = {
    for ((name, json) <- values if hasParam(name)) {
      val param = getParam(name).asInstanceOf[Param[Any]]
      // what each kind of parameter throws at a value of another type is its own affair
      val value = Try(param.jsonDecode(json)).getOrElse(throw new ParamException(s"$name cannot be $json"))
      set(param, value)
    }
    this
  }

  /** The value of a parameter, `None` where it has none. */
  private[albertine] def optional[T](param: Param[T]): Option[T] = if (isDefined(param)) Some($(param)) else None

  def transformSchema(schema: StructType): StructType = {
    val pipeline = Spec.pipeline(Chain.asSpelled(Seq(spec), schema.fieldNames.toSeq))
    try Schemas.output(pipeline, schema).schema
    finally pipeline.close()
  }
}

private[albertine] object Annotator {

  private val defaults = new java.util.concurrent.ConcurrentHashMap[String, java.util.Map[String, String]]

  /** The parameters that a stage without a model has when nothing is set. */
  def defaultsOf(native: String): java.util.Map[String, String] =
    defaults.computeIfAbsent(native, NativePipeline.defaults(_))

  private def json(param: Param[_], value: Any): String =
    if (value == null) throw new ParamException(s"${param.name} is null, which no parameter can be: clear it instead")
    else param.asInstanceOf[Param[Any]].jsonEncode(value)
}

/** An annotator that adds its column without being fitted. */
private[albertine] trait AnnotatorTransformer extends Annotator { this: Transformer =>

  /** Adds the column to a table, with every row, in order, and every column: nothing is done before an action.
    *
    * @throws albertine.ColumnException a column that is needed is missing or of another kind
    * @throws albertine.ParamException a parameter has a value that it cannot have
    */
  def transform(dataset: Dataset[_]): DataFrame = Chain.transform(Seq(spec), dataset)
}

/** An annotator that writes an annotation column. */
private[albertine] trait HasOutputCol extends Annotator { this: PipelineStage =>

  /** The annotation column to write. */
  final val outputCol: Param[String] = new Param(this, "outputCol", "the annotation column to write")

  /** The annotation column to write. */
  final def getOutputCol: String = $(outputCol)
}

/** An annotator that reads annotation columns. */
private[albertine] trait HasInputCols extends Annotator { this: PipelineStage =>

  /** The annotation columns to read. */
  final val inputCols: StringArrayParam = new StringArrayParam(this, "inputCols", "the annotation columns to read")

  /** The annotation columns to read. */
  final def getInputCols: Array[String] = $(inputCols)
}

/** An annotator from annotation columns to one. */
private[albertine] trait IsAnnotator extends HasInputCols with HasOutputCol { this: PipelineStage =>

  /** Whether pipelines were to leave the stage to others, which none here does: kept without effect. */
  final val lazyAnnotator: BooleanParam = new BooleanParam(
    this,
    "lazyAnnotator",
    "whether pipelines were to leave the stage to others, which none here does: kept without effect"
  )

  /** Whether pipelines were to leave the stage to others, which has no effect. */
  final def getLazyAnnotator: Boolean = optional(lazyAnnotator).getOrElse(false)
}
