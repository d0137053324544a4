package albertine.annotator

import albertine.internal.spark._
import albertine.{ModelException, ParamException}
import albertine.internal.NativePipeline
import org.apache.spark.ml.Estimator
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader}
import org.apache.spark.sql.Dataset

/**
 * Documents to tokens, by Spark NLP's rules.
 *
 * Text is split at white space (`targetPattern`); then punctuation (`contextChars`) is taken off either end of what is
 * left, exceptions stay whole, and tokens can be split again (`splitChars`, `splitPattern`). Patterns are Java's.
 *
 * Reads a column of type `document`, documents or sentences, and writes one of type `token`, one annotation a token,
 * whose offsets are those of the document and whose metadata has the number of its `sentence`. `fit` gives a
 * [[TokenizerModel]]; pipelines do it.
 */
class Tokenizer(override val uid: String) extends Estimator[TokenizerModel] with TokenizerParams {

  def this() = this(Identifiable.randomUID("Tokenizer"))

  setDefaults(Annotator.defaultsOf(native))

  /** Sets the annotation columns to read, one by one. */
  @scala.annotation.varargs
  def setInputCols(value: String*): this.type = set(inputCols, value.toArray)

  /** Sets the annotation columns to read: an array or another collection of names. */
  def setInputCols(value: Iterable[String]): this.type = set(inputCols, value.toArray)

  /** Sets the annotation column to write. */
  def setOutputCol(value: String): this.type = set(outputCol, value)

  /** Sets whether pipelines were to leave the stage to others; none here does: it is kept without effect. */
  def setLazyAnnotator(value: Boolean): this.type = set(lazyAnnotator, value)

  /** Sets the pattern of a token before it is split further; by default \S+. */
  def setTargetPattern(value: String): this.type = set(targetPattern, value)

  /** Sets the pattern for the start of a token, from \A; its groups are tokens. */
  def setPrefixPattern(value: String): this.type = set(prefixPattern, value)

  /** Sets the pattern for the end of a token, to \z; its groups are tokens. */
  def setSuffixPattern(value: String): this.type = set(suffixPattern, value)

  /** Sets the patterns for the inside of a token; the groups of the first that matches are tokens. */
  def setInfixPatterns(value: Array[String]): this.type = set(infixPatterns, value)

  /** Sets the characters that are separate tokens at either end of another. */
  def setContextChars(value: Array[String]): this.type = set(contextChars, value)

  /** Sets the pattern by which tokens are split again. */
  def setSplitPattern(value: String): this.type = set(splitPattern, value)

  /** Sets the characters by which tokens are split again. */
  def setSplitChars(value: Array[String]): this.type = set(splitChars, value)

  /** Sets the texts that stay one token, whatever they contain. */
  def setExceptions(value: Array[String]): this.type = set(exceptions, value)

  /** Sets whether the case of exceptions matters. */
  def setCaseSensitiveExceptions(value: Boolean): this.type = set(caseSensitiveExceptions, value)

  /** Sets the minimum length of a token, in UTF-16 code units; shorter ones are dropped. */
  def setMinLength(value: Int): this.type = set(minLength, value)

  /** Sets the maximum length of a token, in UTF-16 code units; longer ones are dropped. */
  def setMaxLength(value: Int): this.type = set(maxLength, value)

  /** Adds a pattern for the inside of a token, which is tried before the others. */
  def addInfixPattern(value: String): this.type = set(infixPatterns, value +: getInfixPatterns)

  /** Adds characters that are separate tokens at either end of another. */
  @scala.annotation.varargs
  def addContextChars(value: String*): this.type = set(contextChars, getContextChars ++ value)

  /** Adds characters by which tokens are split again. */
  @scala.annotation.varargs
  def addSplitChars(value: String*): this.type = set(splitChars, getSplitChars ++ value)

  /** Adds a text that stays one token. */
  def addException(value: String): this.type = set(exceptions, getExceptions :+ value)

  /**
   * Adds the exceptions of a file, one a line.
   *
   * @throws albertine.ParamException the file cannot be read
   */
  def setExceptionsPath(path: String): this.type =
    try set(exceptions, getExceptions ++ NativePipeline.readExceptions(path))
    catch { case error: ModelException => throw new ParamException(s"exceptionsPath: ${error.getMessage}", error) }

  /**
   * The model with these parameters; a table is not looked at.
   *
   * @throws albertine.ParamException a pattern or a parameter is none that can be used
   */
  override def fit(dataset: Dataset[_]): TokenizerModel = {
    Spec.pipeline(Seq(spec)).close()
    copyValues(new TokenizerModel(uid).setParent(this))
  }

  override def copy(extra: ParamMap): Tokenizer = defaultCopy(extra)
}

/** Makes and reads [[Tokenizer]]s. */
object Tokenizer extends DefaultParamsReadable[Tokenizer] {

  /** A stage with nothing set. */
  def apply(): Tokenizer = new Tokenizer()

  override def read: MLReader[Tokenizer] = new Saved.Reader(classOf[Tokenizer], super.read, () => new Tokenizer())

  /** A stage that was saved, here or by Spark NLP.
    *
    * @throws albertine.ModelNotFoundException nothing is at the path
    * @throws albertine.PipelineException none of this class is
    */
  override def load(path: String): Tokenizer = read.load(path)
}
