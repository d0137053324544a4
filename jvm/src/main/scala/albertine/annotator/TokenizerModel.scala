package albertine.annotator

import albertine.internal.spark._
import albertine.{ModelException, ParamException, PipelineException}
import albertine.internal.NativePipeline
import org.apache.spark.ml.Model
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader}

/** A fitted [[Tokenizer]]: documents to tokens. */
class TokenizerModel(override val uid: String) extends Model[TokenizerModel] with TokenizerParams
    with AnnotatorTransformer {

  def this() = this(Identifiable.randomUID("TokenizerModel"))

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

  override def copy(extra: ParamMap): TokenizerModel = defaultCopy[TokenizerModel](extra).setParent(parent)
}

/** Makes and reads [[TokenizerModel]]s. */
object TokenizerModel extends DefaultParamsReadable[TokenizerModel] {

  /** A stage with nothing set. */
  def apply(): TokenizerModel = new TokenizerModel()

  override def read: MLReader[TokenizerModel] =
    new Saved.Reader(classOf[TokenizerModel], super.read, () => new TokenizerModel())

  /** A stage that was saved, here or by Spark NLP.
    *
    * @throws albertine.ModelNotFoundException nothing is at the path
    * @throws albertine.PipelineException none of this class is
    */
  override def load(path: String): TokenizerModel = read.load(path)

  /** The tokenizer with the default rules, which is all that Spark NLP publishes. */
  def pretrained(): TokenizerModel = pretrained("token_rules")

  /** As [[pretrained()*]], by its name. */
  def pretrained(name: String): TokenizerModel = pretrained(name, "en")

  /** As [[pretrained()*]], by its name and language. */
  def pretrained(name: String, lang: String): TokenizerModel = pretrained(name, lang, null)

  /** As [[pretrained()*]]; the location makes no difference. */
  def pretrained(name: String, lang: String, location: String): TokenizerModel = {
    if (name != "token_rules")
      throw new PipelineException(s"there is no tokenizer named '$name'; there is 'token_rules'")
    new TokenizerModel()
  }
}
