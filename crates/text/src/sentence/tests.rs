//! What Spark NLP does, text by text.
