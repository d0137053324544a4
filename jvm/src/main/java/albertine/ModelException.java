package albertine;

/** The files of a model are damaged, or of a kind that is not supported. */
public class ModelException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public ModelException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public ModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
