/**
 * Text classification with ALBERT and BERT for any program on the JVM: {@link albertine.Classifier}.
 *
 * <p>Stages for Spark are in {@code albertine.base} and {@code albertine.annotator}.
 */
package albertine;
