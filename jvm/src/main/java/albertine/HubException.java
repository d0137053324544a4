package albertine;

/** A model could not be downloaded or kept. */
public class HubException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public HubException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public HubException(String message, Throwable cause) {
    super(message, cause);
  }
}
