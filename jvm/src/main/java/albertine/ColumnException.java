package albertine;

/** A column that a stage needs is missing or of another type, or the name of one that it writes is taken. */
public class ColumnException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public ColumnException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public ColumnException(String message, Throwable cause) {
    super(message, cause);
  }
}
