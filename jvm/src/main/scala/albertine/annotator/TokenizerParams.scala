package albertine.annotator

import albertine.internal.spark._
import org.apache.spark.ml.PipelineStage
import org.apache.spark.ml.param.{BooleanParam, IntParam, Param, StringArrayParam}

/** The parameters of a tokenizer, fitted or not. */
private[albertine] trait TokenizerParams extends IsAnnotator { this: PipelineStage =>

  private[albertine] override def native: String = "Tokenizer"

  /** The pattern of a token before it is split further; by default \S+. */
  final val targetPattern: Param[String] =
    new Param(this, "targetPattern", "the pattern of a token before it is split further; by default \\S+")

  /** The pattern for the start of a token, from \A; its groups are tokens. */
  final val prefixPattern: Param[String] =
    new Param(this, "prefixPattern", "the pattern for the start of a token, from \\A; its groups are tokens")

  /** The pattern for the end of a token, to \z; its groups are tokens. */
  final val suffixPattern: Param[String] =
    new Param(this, "suffixPattern", "the pattern for the end of a token, to \\z; its groups are tokens")

  /** The patterns for the inside of a token; the groups of the first that matches are tokens. */
  final val infixPatterns: StringArrayParam =
    new StringArrayParam(
      this,
      "infixPatterns",
      "the patterns for the inside of a token; the groups of the first that matches are tokens"
    )

  /** The characters that are separate tokens at either end of another. */
  final val contextChars: StringArrayParam =
    new StringArrayParam(this, "contextChars", "the characters that are separate tokens at either end of another")

  /** The pattern by which tokens are split again. */
  final val splitPattern: Param[String] =
    new Param(this, "splitPattern", "the pattern by which tokens are split again")

  /** The characters by which tokens are split again. */
  final val splitChars: StringArrayParam =
    new StringArrayParam(this, "splitChars", "the characters by which tokens are split again")

  /** The texts that stay one token, whatever they contain. */
  final val exceptions: StringArrayParam =
    new StringArrayParam(this, "exceptions", "the texts that stay one token, whatever they contain")

  /** Whether the case of exceptions matters. */
  final val caseSensitiveExceptions: BooleanParam =
    new BooleanParam(this, "caseSensitiveExceptions", "whether the case of exceptions matters")

  /** The minimum length of a token, in UTF-16 code units; shorter ones are dropped. */
  final val minLength: IntParam =
    new IntParam(this, "minLength", "the minimum length of a token, in UTF-16 code units; shorter ones are dropped")

  /** The maximum length of a token, in UTF-16 code units; longer ones are dropped. */
  final val maxLength: IntParam =
    new IntParam(this, "maxLength", "the maximum length of a token, in UTF-16 code units; longer ones are dropped")

  /** The patterns of a tokenizer that Spark NLP fitted. */
  final val rules: StringArrayParam =
    new StringArrayParam(this, "rules", "the patterns of a tokenizer that Spark NLP fitted")

  /** The pattern of a token before it is split further; by default \S+; `null` where it is not set. */
  final def getTargetPattern: String = optional(targetPattern).getOrElse(null)

  /** The pattern for the start of a token, from \A; its groups are tokens; `null` where it is not set. */
  final def getPrefixPattern: String = optional(prefixPattern).getOrElse(null)

  /** The pattern for the end of a token, to \z; its groups are tokens; `null` where it is not set. */
  final def getSuffixPattern: String = optional(suffixPattern).getOrElse(null)

  /** The patterns for the inside of a token; the groups of the first that matches are tokens. */
  final def getInfixPatterns: Array[String] = optional(infixPatterns).getOrElse(Array.empty)

  /** The characters that are separate tokens at either end of another. */
  final def getContextChars: Array[String] = optional(contextChars).getOrElse(Array.empty)

  /** The pattern by which tokens are split again; `null` where it is not set. */
  final def getSplitPattern: String = optional(splitPattern).getOrElse(null)

  /** The characters by which tokens are split again. */
  final def getSplitChars: Array[String] = optional(splitChars).getOrElse(Array.empty)

  /** The texts that stay one token, whatever they contain. */
  final def getExceptions: Array[String] = optional(exceptions).getOrElse(Array.empty)

  /** Whether the case of exceptions matters. */
  final def getCaseSensitiveExceptions: Boolean = $(caseSensitiveExceptions)

  /** The minimum length of a token, in UTF-16 code units; shorter ones are dropped. */
  final def getMinLength: Int = $(minLength)

  /** The maximum length of a token, in UTF-16 code units; longer ones are dropped; -1 where it is not set. */
  final def getMaxLength: Int = optional(maxLength).getOrElse(-1)
}
