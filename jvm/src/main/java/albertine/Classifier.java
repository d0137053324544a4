package albertine;

import albertine.internal.Message;
import albertine.internal.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;

/**
 * A model that classifies texts, in any program on the JVM.
 *
 * <pre>{@code
 * try (Classifier classifier = new Classifier("ag_news")) {
 *   Prediction found = classifier.classify("The striker scored twice in the final.");
 *   System.out.println(found.getLabel()); // Sports
 * }
 * }</pre>
 *
 * <p>Threads may share it. The same text has the same scores, bit for bit, in any batch, in any order and at any number
 * of threads. A call stops soon after its thread is interrupted. Texts over the limit are truncated, and the logger
 * {@code albertine} of {@code java.util.logging} is told how many. A classifier that is not closed lets its memory go
 * some time after nothing refers to it.
 */
public final class Classifier implements AutoCloseable {
  private static final Logger LOGGER = Logger.getLogger("albertine");

  private final Model model;

  /**
   * A model with its own settings.
   *
   * @param name a built-in model ({@code ag_news}), a published one
   *     ({@code albert_base_sequence_classifier_ag_news}), a repository of the Hugging Face hub
   *     ({@code owner/name}), a URL or a path
   * @throws ModelNotFoundException there is none; the message says what to do
   * @throws HubException it cannot be downloaded
   * @throws ModelException its files are damaged
   */
  public Classifier(String name) {
    this(new Builder(name));
  }

  private Classifier(Builder builder) {
    model = Model.load(builder.name, builder.settings);
  }

  /**
   * A model with settings.
   *
   * @param name as for {@link #Classifier(String)}
   * @return a builder
   */
  public static Builder builder(String name) {
    return new Builder(name);
  }

  /** The settings of a classifier; what is not set is as the model has it. */
  public static final class Builder {
    private final String name;
    private final Model.Settings settings = new Model.Settings();

    private Builder(String name) {
      this.name = name;
    }

    /**
     * The language of its texts, for a published model.
     *
     * @param value such as {@code en}
     * @return this
     */
    public Builder lang(String value) {
      settings.lang = value;
      return this;
    }

    /**
     * Where published models are looked for, instead of Spark NLP's public folder.
     *
     * @param value a folder or a URL
     * @return this
     */
    public Builder location(String value) {
      settings.location = value;
      return this;
    }

    /**
     * How exactly it computes.
     *
     * @param value {@code f32} (exact, the default), {@code bf16} or {@code int8} (faster)
     * @return this
     */
    public Builder precision(String value) {
      settings.precision = value;
      return this;
    }

    /**
     * The most tokens of a text that are read.
     *
     * @param value 2 to the model's positions; {@code [CLS]} and {@code [SEP]} are counted
     * @return this
     */
    public Builder maxSentenceLength(int value) {
      settings.maxSentenceLength = value;
      return this;
    }

    /**
     * Whether case matters.
     *
     * @param value whether it does
     * @return this
     */
    public Builder caseSensitive(boolean value) {
      settings.caseSensitive = value;
      return this;
    }

    /**
     * How a text becomes pieces.
     *
     * @param value {@code document} (as the model was trained) or {@code token} (as Spark NLP does it)
     * @return this
     */
    public Builder encoding(String value) {
      settings.encoding = value;
      return this;
    }

    /**
     * Reads texts over the limit whole, in windows. Unless set, they are truncated.
     *
     * @param value how many pieces windows share
     * @return this
     */
    public Builder windowOverlap(int value) {
      settings.windowOverlap = value;
      return this;
    }

    /**
     * The threads of a call.
     *
     * @param value 0 (the default) for one a core
     * @return this
     */
    public Builder threads(int value) {
      settings.threads = value;
      return this;
    }

    /**
     * Loads the model.
     *
     * @return the classifier
     * @throws AlbertineException as {@link Classifier#Classifier(String)}, and {@link ParamException} for an invalid
     *     setting
     */
    public Classifier build() {
      return new Classifier(this);
    }
  }

  /**
   * The labels, in the order of the scores.
   *
   * @return a list that cannot be changed
   */
  public List<String> labels() {
    return Collections.unmodifiableList(Arrays.asList(model.facts().labels));
  }

  /**
   * Classifies a text.
   *
   * @param text a text, or {@code null}
   * @return {@code null} for a text that is missing or blank
   * @throws CancelledException this thread was interrupted
   * @throws ClosedException the classifier is closed
   */
  public Prediction classify(String text) {
    return classify(Collections.singletonList(text)).get(0);
  }

  /**
   * Classifies texts, which together are faster than one by one.
   *
   * @param texts texts; {@code null} is one that is missing
   * @return what each text is, in their order; {@code null} for one that is missing or blank
   * @throws CancelledException this thread was interrupted
   * @throws ClosedException the classifier is closed
   */
  public List<Prediction> classify(Collection<String> texts) {
    String[] labels = model.facts().labels;
    Message.Reader answer = model.classify(texts);
    List<Prediction> found = new ArrayList<>(texts.size());
    for (int row = 0; row < texts.size(); row++) {
      found.add(answer.readFlag() ? read(answer, labels) : null);
    }
    long truncated = answer.readLong();
    if (truncated > 0) {
      LOGGER.warning(
          truncated + (truncated == 1 ? " text" : " texts") + " of more than " + model.facts().maxSentenceLength
              + " tokens " + (truncated == 1 ? "was" : "were")
              + " truncated: maxSentenceLength or windowOverlap would read more");
    }
    return found;
  }

  private static Prediction read(Message.Reader answer, String[] labels) {
    String label = answer.readText();
    float score = answer.readFloat();
    Map<String, Float> scores = new LinkedHashMap<>();
    for (String name : labels) {
      scores.put(name, answer.readFloat());
    }
    return new Prediction(label, score, scores);
  }

  /** Lets the model's memory go. Calls that are under way come to their end; later ones fail. */
  @Override
  public void close() {
    model.close();
  }
}
