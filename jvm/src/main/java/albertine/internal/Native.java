package albertine.internal;

import albertine.AlbertineException;
import albertine.CancelledException;
import albertine.ClosedException;
import albertine.ColumnException;
import albertine.HubException;
import albertine.InternalException;
import albertine.MemoryException;
import albertine.ModelException;
import albertine.ModelNotFoundException;
import albertine.NativeLibraryException;
import albertine.ParamException;
import albertine.PipelineException;
import albertine.RowException;

/** The native library: one function, which takes a message and gives one. */
public final class Native {
  private Native() {}

  // what can be asked for, as in jvm/native/src/calls.rs
  public static final int VERSION = 0;
  public static final int CLOSE = 1;
  public static final int TOKEN = 2;
  public static final int CANCEL = 3;
  public static final int LOAD = 10;
  public static final int FACTS = 11;
  public static final int IN_PRECISION = 12;
  public static final int SAVE = 13;
  public static final int CLASSIFY = 14;
  public static final int PIPELINE = 20;
  public static final int LOAD_PIPELINE = 21;
  public static final int LOAD_PIPELINE_IF_ONE = 22;
  public static final int PRETRAINED_PIPELINE = 23;
  public static final int STAGES = 24;
  public static final int OUTPUT = 25;
  public static final int RUN = 26;
  public static final int TRANSFORM = 27;
  public static final int ANNOTATE = 28;
  public static final int DEFAULTS = 29;
  public static final int EXCEPTIONS = 30;
  public static final int REPLACE_FOLDER = 31;
  public static final int KNOWN_MODELS = 40;
  public static final int PUBLISHED_MODELS = 41;
  public static final int PULL = 42;
  public static final int REMOVE = 43;

  private static native byte[] call(byte[] request);

  /**
   * The answer to a request.
   *
   * @throws AlbertineException what went wrong, under the class of its kind
   */
  public static Message.Reader ask(Message.Writer request) {
    NativeLibrary.load();
    Message.Reader answer;
    try {
      answer = new Message.Reader(call(request.finish()));
    } catch (OutOfMemoryError error) {
      // without its cause, for which Spark would end the executor
      throw new MemoryException("the heap of the JVM has no room for a request or its answer");
    }
    int kind = answer.readByte();
    if (kind != 0) {
      throw exception(kind, answer.readText());
    }
    return answer;
  }

  /** As {@link #ask}, before anything is known of the library: not even its version. */
  static String version() {
    Message.Reader answer = new Message.Reader(call(new Message.Writer(VERSION).finish()));
    answer.readByte();
    return answer.readText();
  }

  private static AlbertineException exception(int kind, String message) {
    switch (kind) {
      case 2:
        return new ModelNotFoundException(message);
      case 3:
        return new ModelException(message);
      case 4:
        return new HubException(message);
      case 5:
        return new PipelineException(message);
      case 6:
        return new ColumnException(message);
      case 7:
        return new ParamException(message);
      case 8:
        return new RowException(message);
      case 9:
        return new CancelledException(message);
      case 10:
        return new ClosedException(message);
      case 11:
        return new InternalException(message);
      case 12:
        return new NativeLibraryException(message);
      case 13:
        return new MemoryException(message);
      default:
        return new AlbertineException(message);
    }
  }
}
