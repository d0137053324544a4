package albertine;

/** A path that is not a saved pipeline, or stages that do not form a pipeline. */
public class PipelineException extends AlbertineException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong, and with which name, path, column or row
   */
  public PipelineException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what it came from
   */
  public PipelineException(String message, Throwable cause) {
    super(message, cause);
  }
}
