/** How the jar speaks with its native library. Not for other programs: it changes without notice. */
package albertine.internal;
