package albertine.internal;

import albertine.ParamException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** A loaded model, which whoever names it shares. */
public final class Model extends Handle {
  private Facts facts;

  Model(long number) {
    super(number);
  }

  /** What is to be known of a model. */
  public static final class Facts {
    /** The class of the annotator for its family. */
    public final String annotator;
    /** {@code f32}, {@code bf16} or {@code int8}. */
    public final String precision;
    /** The name of a built-in model, or the path of its files. */
    public final String name;
    /** The path of its files; {@code null} for a built-in model. */
    public final String path;
    /** The most tokens of a text that are read. */
    public final int maxSentenceLength;
    /** The labels, in the order of the scores. */
    public final String[] labels;
    /** The parameters of an annotator with it when nothing is set, as JSON. */
    public final Map<String, String> params;

    Facts(Message.Reader answer) {
      annotator = answer.readText();
      precision = answer.readText();
      name = answer.readText();
      path = answer.readText();
      maxSentenceLength = answer.readInt();
      labels = answer.readTexts();
      params = readParams(answer);
    }
  }

  static Map<String, String> readParams(Message.Reader answer) {
    int count = answer.readInt();
    Map<String, String> params = new LinkedHashMap<>();
    for (int index = 0; index < count; index++) {
      String name = answer.readText();
      params.put(name, answer.readText());
    }
    return params;
  }

  /** How a model is loaded; what is {@code null} is as the model has it. */
  public static final class Settings {
    public String lang;
    public String location;
    public String precision;
    public Integer maxSentenceLength;
    public Boolean caseSensitive;
    public String encoding;
    public Integer windowOverlap;
    public int threads;

    private static int number(String name, Integer value) {
      if (value != null && value < 0) {
        throw new ParamException(name + " is " + value + ", expected a whole number from 0 up");
      }
      return value == null ? -1 : value;
    }

    Message.Writer write(String name) {
      return new Message.Writer(Native.LOAD)
          .put(name)
          .put(lang)
          .put(location)
          .put(precision == null ? "f32" : precision)
          .put(number("maxSentenceLength", maxSentenceLength))
          .put(caseSensitive == null ? -1 : caseSensitive ? 1 : 0)
          .put(encoding)
          .put(number("windowOverlap", windowOverlap))
          .put(number("threads", threads));
    }
  }

  /** The model of a name, a repository, a URL or a path. */
  public static Model load(String name, Settings settings) {
    requireName(name);
    return new Model(Native.ask(settings.write(name)).readLong());
  }

  static void requireName(String name) {
    if (name == null) {
      throw new ParamException("the name of a model is null");
    }
  }

  /** What is to be known of it. */
  public synchronized Facts facts() {
    if (facts == null) {
      facts = new Facts(ask(new Message.Writer(Native.FACTS).put(number())));
    }
    return facts;
  }

  /** The same model in another precision. */
  public Model inPrecision(String precision) {
    return new Model(ask(new Message.Writer(Native.IN_PRECISION).put(number()).put(precision)).readLong());
  }

  /** Writes a model directory in Hugging Face's layout. */
  public void save(String directory) {
    ask(new Message.Writer(Native.SAVE).put(number()).put(directory));
  }

  /** The labels of texts, as {@code jvm/native/src/light.rs} tells them. */
  public Message.Reader classify(Collection<String> texts) {
    return Cancellation.unlessInterrupted(
        token -> ask(new Message.Writer(Native.CLASSIFY, 4096).put(number()).put(token).put(texts)));
  }

  /** The answer to a request of another that names it: it is not let go before. */
  static Message.Reader ask(Message.Writer request, Iterable<Model> named) {
    try {
      return Native.ask(request);
    } finally {
      named.forEach(Handle::reach);
    }
  }

  long id() {
    return number();
  }
}
