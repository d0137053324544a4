package albertine;

/** A defect of Albertine. The JVM is unharmed, and so are other calls. */
public class InternalException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public InternalException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public InternalException(String message, Throwable cause) {
    super(message, cause);
  }
}
