package albertine;

/** The call was stopped: its thread was interrupted, or its task killed. */
public class CancelledException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public CancelledException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public CancelledException(String message, Throwable cause) {
    super(message, cause);
  }
}
