package albertine;

/** The process or the heap of the JVM has no memory for a model or for rows. */
public class MemoryException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what there is no memory for
   */
  public MemoryException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public MemoryException(String message, Throwable cause) {
    super(message, cause);
  }
}
