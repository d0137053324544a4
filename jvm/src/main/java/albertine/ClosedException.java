package albertine;

/** A classifier that was closed, or is being closed by another thread. */
public class ClosedException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public ClosedException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public ClosedException(String message, Throwable cause) {
    super(message, cause);
  }
}
