package albertine;

/** What goes wrong in Albertine; its subclasses say what it is about, its message what is wrong. */
public class AlbertineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong
   */
  public AlbertineException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public AlbertineException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * The same exception with words in front of its message: where it happened.
   *
   * @param place the words
   * @return an exception of the same class, whose cause is this one
   */
  public AlbertineException at(String place) {
    String message = place + getMessage();
    try {
      return getClass().getConstructor(String.class, Throwable.class).newInstance(message, this);
    } catch (ReflectiveOperationException error) {
      return new AlbertineException(message, this);
    }
  }
}
