package albertine

import albertine.internal.spark.Schemas
import org.apache.spark.sql.{Dataset, Row}
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.types.{ArrayType, StructType}

import scala.collection.JavaConverters._

/** What annotators write, for texts in hand. */
trait IAnnotation {

  /** The kind: `document`, `token` or `category`. */
  def annotatorType: String
}

/**
 * One annotation over a text.
 *
 * `begin` and `end` are inclusive and count UTF-16 code units of the text after the `DocumentAssembler`; an empty text
 * has `begin` 0 and `end` -1.
 *
 * @param annotatorType the kind: `document`, `token` or `category`
 * @param begin the first UTF-16 code unit
 * @param end the last one, inclusive
 * @param result the text of a document or token, the label of a category
 * @param metadata further facts, as text: of a category the score of every label
 * @param embeddings a vector; empty for every annotator here
 */
case class Annotation(
    annotatorType: String,
    begin: Int,
    end: Int,
    result: String,
    metadata: scala.collection.Map[String, String],
    embeddings: Array[Float] = Array.empty
) extends IAnnotation {

  /** The kind. */
  def getAnnotatorType: String = annotatorType

  /** The first UTF-16 code unit. */
  def getBegin: Int = begin

  /** The last UTF-16 code unit, inclusive. */
  def getEnd: Int = end

  /** The text of a document or token, the label of a category. */
  def getResult: String = result

  /** Further facts, as Java has maps: `metadata` is Scala's. */
  def getMetadata: java.util.Map[String, String] = metadata.asJava

  /** A vector, which is empty. */
  def getEmbeddings: Array[Float] = embeddings

  override def equals(other: Any): Boolean = other match {
    case that: Annotation =>
      annotatorType == that.annotatorType && begin == that.begin && end == that.end && result == that.result &&
      metadata == that.metadata && java.util.Arrays.equals(embeddings, that.embeddings)
    case _ => false
  }

  override def hashCode: Int = (annotatorType, begin, end, result, metadata).hashCode

  override def toString: String = s"Annotation(type: $annotatorType, begin: $begin, end: $end, result: $result)"
}

/** Reads annotations out of tables, and says how tables hold them. */
object Annotation {

  /** The type of an annotation in a table. */
  val dataType: StructType = Schemas.annotation

  /** The type of an annotation column. */
  val arrayType: ArrayType = Schemas.annotations

  /** An annotation without a vector. */
  def apply(
      annotatorType: String,
      begin: Int,
      end: Int,
      result: String,
      metadata: scala.collection.Map[String, String]
  ): Annotation =
    new Annotation(annotatorType, begin, end, result, metadata)

  /** A document from its text. */
  def apply(rawText: String): Annotation =
    new Annotation("document", 0, rawText.length - 1, rawText, Map.empty[String, String])

  /** An annotation from a row of a table. */
  def apply(row: Row): Annotation = new Annotation(
    row.getString(0),
    row.getInt(1),
    row.getInt(2),
    row.getString(3),
    Option(row.getAs[scala.collection.Map[String, String]](4)).getOrElse(Map.empty[String, String]),
    Option(row.getAs[scala.collection.Seq[Float]](5)).map(_.toArray).getOrElse(Array.empty)
  )

  /** The annotations of one column or several, row by row. */
  @scala.annotation.varargs
  def collect(dataset: Dataset[_], column: String, columns: String*): Array[Array[Annotation]] =
    read(dataset.select((column +: columns).map(quoted): _*).collect())

  /** The annotations of a column in the first rows. */
  def take(dataset: Dataset[_], column: String, howMany: Int): Array[Array[Annotation]] =
    read(dataset.select(quoted(column)).take(howMany))

  /** The annotations of a column in a row. */
  def getAnnotations(row: Row, column: String): Seq[Annotation] = all(row.getAs[scala.collection.Seq[Row]](column))

  /** The annotations of a column in a row, by its position. */
  def getAnnotations(row: Row, column: Int): Seq[Annotation] = all(row.getAs[scala.collection.Seq[Row]](column))

  private[albertine] def all(rows: scala.collection.Seq[Row]): Seq[Annotation] =
    if (rows == null) Nil else rows.map(Annotation(_)).toList

  private def read(rows: Array[Row]): Array[Array[Annotation]] =
    rows.map(row => row.toSeq.flatMap(cell => all(cell.asInstanceOf[scala.collection.Seq[Row]])).toArray)

  private def quoted(name: String) = col(s"`${name.replace("`", "``")}`")
}

/** An [[Annotation]] for Java. */
case class JavaAnnotation(
    annotatorType: String,
    begin: Int,
    end: Int,
    result: String,
    metadata: java.util.Map[String, String],
    embeddings: Array[Float] = Array.empty
) extends IAnnotation {

  /** An annotation without a vector. */
  def this(annotatorType: String, begin: Int, end: Int, result: String, metadata: java.util.Map[String, String]) =
    this(annotatorType, begin, end, result, metadata, Array.empty[Float])

  /** The kind. */
  def getAnnotatorType: String = annotatorType

  /** The first UTF-16 code unit. */
  def getBegin: Int = begin

  /** The last UTF-16 code unit, inclusive. */
  def getEnd: Int = end

  /** The text of a document or token, the label of a category. */
  def getResult: String = result

  /** Further facts. */
  def getMetadata: java.util.Map[String, String] = metadata

  /** A vector, which is empty. */
  def getEmbeddings: Array[Float] = embeddings

  override def equals(other: Any): Boolean = other match {
    case that: JavaAnnotation =>
      annotatorType == that.annotatorType && begin == that.begin && end == that.end && result == that.result &&
      metadata == that.metadata && java.util.Arrays.equals(embeddings, that.embeddings)
    case _ => false
  }

  override def hashCode: Int = (annotatorType, begin, end, result, metadata).hashCode

  override def toString: String = s"JavaAnnotation(type: $annotatorType, begin: $begin, end: $end, result: $result)"
}
