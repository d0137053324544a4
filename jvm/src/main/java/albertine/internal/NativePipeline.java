package albertine.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Stages in a row, checked and ready to work. */
public final class NativePipeline extends Handle {
  private NativePipeline(long number) {
    super(number);
  }

  /** A stage: the name of its class, its parameters as JSON, its model or {@code null}. */
  public static final class Stage {
    public final String name;
    public final Map<String, String> params;
    public final Model model;

    public Stage(String name, Map<String, String> params, Model model) {
      this.name = name;
      this.params = params;
      this.model = model;
    }
  }

  /** A pipeline of stages that work with so many threads, 0 for one a core. */
  public static NativePipeline of(List<Stage> stages, int threads) {
    Message.Writer request = new Message.Writer(Native.PIPELINE).put(threads).put(stages.size());
    List<Model> models = new ArrayList<>();
    for (Stage stage : stages) {
      request.put(stage.name).put(stage.params.size());
      for (Map.Entry<String, String> param : stage.params.entrySet()) {
        request.put(param.getKey()).put(param.getValue());
      }
      request.put(stage.model == null ? 0L : stage.model.id());
      if (stage.model != null) {
        models.add(stage.model);
      }
    }
    return new NativePipeline(Model.ask(request, models).readLong());
  }

  /** What was saved, by us or by Spark NLP. */
  public static NativePipeline load(String path) {
    return new NativePipeline(Native.ask(new Message.Writer(Native.LOAD_PIPELINE).put(path)).readLong());
  }

  /** What was saved, if it is a pipeline, and not a model alone; else {@code null}. */
  public static NativePipeline loadIfOne(String path) {
    long number = Native.ask(new Message.Writer(Native.LOAD_PIPELINE_IF_ONE).put(path)).readLong();
    return number == 0 ? null : new NativePipeline(number);
  }

  /** A pipeline by name, repository, URL or path. */
  public static NativePipeline pretrained(String name, String lang, String location) {
    Model.requireName(name);
    Message.Writer request = new Message.Writer(Native.PRETRAINED_PIPELINE).put(name).put(lang).put(location);
    return new NativePipeline(Native.ask(request).readLong());
  }

  /** The parameters that a stage of a class without a model has when nothing is set, as JSON. */
  public static Map<String, String> defaults(String name) {
    return Model.readParams(Native.ask(new Message.Writer(Native.DEFAULTS).put(name)));
  }

  /** The exceptions of a tokenizer in a file, one a line. */
  public static String[] readExceptions(String path) {
    return Native.ask(new Message.Writer(Native.EXCEPTIONS).put(path)).readTexts();
  }

  /** Its stages. */
  public Stage[] stages() {
    Message.Reader answer = ask(new Message.Writer(Native.STAGES).put(number()));
    Stage[] stages = new Stage[answer.readInt()];
    for (int index = 0; index < stages.length; index++) {
      String name = answer.readText();
      Map<String, String> params = Model.readParams(answer);
      long model = answer.readLong();
      stages[index] = new Stage(name, params, model == 0 ? null : new Model(model));
    }
    return stages;
  }

  /** What becomes of the columns of a table, whose schema is Spark's JSON. */
  public Message.Reader output(String schema) {
    return ask(new Message.Writer(Native.OUTPUT).put(number()).put(schema));
  }

  /** The pipeline over tables with certain columns, whose result also has the column {@code kept}, if it is named. */
  public Run run(String schema, String kept) {
    Message.Writer request = new Message.Writer(Native.RUN).put(number()).put(schema).put(kept);
    return new Run(ask(request).readLong());
  }

  /** The annotations of texts, as {@code jvm/native/src/light.rs} tells them. */
  public Message.Reader annotate(Collection<String> texts) {
    return Cancellation.unlessInterrupted(
        token -> ask(new Message.Writer(Native.ANNOTATE, 4096).put(number()).put(token).put(texts)));
  }

  /** A pipeline over tables with certain columns. */
  public static final class Run extends Handle {
    private Run(long number) {
      super(number);
    }

    /**
     * A batch through the stages.
     *
     * @param stopped asked some times a second whether the call is to stop
     * @param first the number of its first row
     * @param batch the number of its rows and its columns
     */
    public Message.Reader transform(BooleanSupplier stopped, long first, Message.Writer batch) {
      return Cancellation.during(stopped, token -> {
        Message.Writer request = new Message.Writer(Native.TRANSFORM, batch.size() + 32);
        return ask(request.put(number()).put(token).put(first).put(batch));
      });
    }
  }
}
