package albertine;

/** A row that cannot be worked on; the message has its partition and its number in it, counted from 0. */
public class RowException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public RowException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public RowException(String message, Throwable cause) {
    super(message, cause);
  }
}
