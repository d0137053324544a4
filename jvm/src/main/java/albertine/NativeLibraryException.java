package albertine;

/**
 * The native library cannot be loaded: no library for this platform, a folder that programs must not run from, or one
 * of another version than the jar.
 */
public class NativeLibraryException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public NativeLibraryException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public NativeLibraryException(String message, Throwable cause) {
    super(message, cause);
  }
}
