package albertine;

/** A parameter has a value that it cannot have. */
public class ParamException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public ParamException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public ParamException(String message, Throwable cause) {
    super(message, cause);
  }
}
