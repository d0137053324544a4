package albertine

import org.apache.spark.sql.{Column, DataFrame, Row}
import org.apache.spark.sql.expressions.UserDefinedFunction
import org.apache.spark.sql.functions.{array, col, explode, udf}
import org.apache.spark.sql.types.MetadataBuilder

import scala.reflect.runtime.universe.TypeTag

/** Functions over annotation columns, as Spark NLP has them: `import albertine.functions._`. */
object functions {

  /** The methods that tables have. */
  implicit final class FilterAnnotations(dataset: DataFrame) {

    /** The rows for whose annotations `function` is true. */
    def filterByAnnotationsCol(column: String, function: Seq[Annotation] => Boolean): DataFrame =
      dataset.filter(mapAnnotations(function).apply(col(column)))
  }

  /** The methods that tables have. */
  implicit final class MapAnnotations(dataset: DataFrame) {

    /** A table with a column of what `function` makes of the annotations of another. */
    def mapAnnotationsCol[T: TypeTag](
        column: String,
        outputCol: String,
        annotatorType: String,
        function: Seq[Annotation] => T
    ): DataFrame = named(mapAnnotations(function).apply(col(column)), outputCol, annotatorType)

    /** As the other, of several columns, whose annotations come as one list. */
    def mapAnnotationsCol[T: TypeTag](
        columns: Seq[String],
        outputCol: String,
        annotatorType: String,
        function: Seq[Annotation] => T
    ): DataFrame = named(mapAnnotationsArray(function).apply(array(columns.map(col): _*)), outputCol, annotatorType)

    private def named(column: Column, outputCol: String, annotatorType: String): DataFrame = {
      val metadata = new MetadataBuilder().putString("annotatorType", annotatorType).build()
      dataset.withColumn(outputCol, column.as(outputCol, metadata))
    }
  }

  /** The methods that tables have. */
  implicit final class EachAnnotations(dataset: DataFrame) {

    /** Calls `function`, on the executors, with the annotations of each row. */
    def eachAnnotationsCol(column: String, function: Seq[Annotation] => Unit): Unit = {
      val each: Row => Unit = row => function(Annotation.getAnnotations(row, 0))
      dataset.select(col(column)).foreach(each)
    }
  }

  /** The methods that tables have. */
  implicit final class ExplodeAnnotations(dataset: DataFrame) {

    /** A table with a row for each annotation of a column, alone in an annotation column; rows without are left out. */
    def explodeAnnotationsCol(column: String, outputCol: String): DataFrame = {
      val metadata = dataset.schema(column).metadata
      val exploded = dataset.withColumn(outputCol, explode(col(column)))
      exploded.withColumn(outputCol, array(col(outputCol)).as(outputCol, metadata))
    }
  }

  /** A function of columns from one over annotations. */
  def mapAnnotations[T: TypeTag](function: Seq[Annotation] => T): UserDefinedFunction =
    udf((found: Seq[Annotation]) => function(all(found)))

  /** As [[mapAnnotations]], for annotation columns in an array. */
  def mapAnnotationsArray[T: TypeTag](function: Seq[Annotation] => T): UserDefinedFunction =
    udf((columns: Seq[Seq[Annotation]]) => function(all(columns).flatMap(all(_))))

  /** Those of a cell, which may be missing. */
  private def all[T](found: Seq[T]): Seq[T] = if (found == null) Nil else found

  /** As [[mapAnnotations]], from annotations to annotations. */
  def mapAnnotationsStrict(function: Seq[Annotation] => Seq[Annotation]): UserDefinedFunction = mapAnnotations(function)
}
