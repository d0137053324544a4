package albertine;

/** No model has this name, or it is not on this machine and the network is not to be used. */
public class ModelNotFoundException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public ModelNotFoundException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public ModelNotFoundException(String message, Throwable cause) {
    super(message, cause);
  }
}
