/**
 * How the jar speaks with its native library and, in {@code spark}, with Spark. Not for other programs: it changes
 * without notice.
 *
 * <p>A package {@code albertine.spark} would hide the session of Spark's shell behind {@code import albertine._}.
 */
package albertine.internal;
