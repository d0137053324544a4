package albertine;

import albertine.annotator.AlbertForSequenceClassification;
import albertine.annotator.SentenceDetector;
import albertine.annotator.Tokenizer;
import albertine.annotator.TokenizerModel;
import albertine.base.DocumentAssembler;
import albertine.base.Finisher;
import albertine.base.LightPipeline;
import albertine.base.RecursivePipeline;
import albertine.pretrained.PretrainedPipeline;
import albertine.pretrained.ResourceDownloader;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The surface as Java sees it: that it compiles is half of the test. */
public final class JavaProgram {
  private JavaProgram() {}

  /** What it finds, by name. */
  public static Map<String, Object> run(String folder, String savedBySparkNlp) throws Exception {
    Map<String, Object> found = new LinkedHashMap<>();
    SparkSession spark = SparkNLP.start();
    found.put("version", SparkNLP.version());

    DocumentAssembler document =
        new DocumentAssembler().setInputCol("text").setOutputCol("document").setCleanupMode("shrink");
    SentenceDetector sentence =
        new SentenceDetector().setInputCols("document").setOutputCol("sentence").setDetectLists(false).setMinLength(1);
    Tokenizer tokenizer =
        new Tokenizer()
            .setInputCols(new String[] {"document"})
            .setOutputCol("token")
            .addException("New York")
            .setContextChars(new String[] {".", ","})
            .setCaseSensitiveExceptions(true)
            .setLazyAnnotator(false);
    AlbertForSequenceClassification sequence =
        AlbertForSequenceClassification.pretrained("ag_news", "en")
            .setInputCols("document", "token")
            .setOutputCol("class")
            .setMaxSentenceLength(128)
            .setThreshold(0.5f)
            .setCaseSensitive(false)
            .setPrecision("f32");
    String[] classes = sequence.getClasses();
    found.put("classes", String.join(", ", classes));
    Finisher finisher = new Finisher().setInputCols("class").setOutputCols("label").setCleanAnnotations(true);

    Dataset<Row> table =
        spark
            .createDataset(
                Arrays.asList("The striker scored twice in the final.", "Oil prices rose."), Encoders.STRING())
            .toDF("text");
    PipelineModel model =
        new Pipeline().setStages(new PipelineStage[] {document, sentence, tokenizer, sequence}).fit(table);
    Annotation[][] annotations = Annotation.collect(model.transform(table), "class");
    found.put("label", annotations[0][0].getResult());
    found.put("end", annotations[0][0].getEnd());
    found.put("scores", annotations[0][0].getMetadata().size());

    RecursivePipeline recursive = new RecursivePipeline();
    recursive.setStages(new PipelineStage[] {document, tokenizer, sequence, finisher});
    Row row = recursive.fit(table).transform(table).select("label").collectAsList().get(1);
    found.put("finished", row.getList(0).get(0));

    LightPipeline light = new LightPipeline(model);
    Map<String, List<String>> results = light.annotateJava("Ministers met in New York to end the war.");
    found.put("tokens", String.join("|", results.get("token")));
    found.put("light", results.get("class").get(0));
    List<Map<String, List<IAnnotation>>> all = light.fullAnnotateJava(Arrays.asList("Oil rose.", null));
    JavaAnnotation first = (JavaAnnotation) all.get(0).get("document").get(0);
    found.put("document", first.getResult() + " " + first.getBegin() + " " + first.getEnd()
        + " " + first.getMetadata());
    found.put("empty", all.get(1).get("class").size());

    model.write().overwrite().save(folder);
    PipelineModel back = PipelineModel.load(folder);
    found.put("back", new LightPipeline(back).annotateJava("Oil prices rose.").get("class").get(0));
    TokenizerModel fitted = (TokenizerModel) back.stages()[2];
    found.put("exceptions", String.join("|", fitted.getExceptions()));

    PretrainedPipeline pretrained = PretrainedPipeline.fromDisk(savedBySparkNlp);
    found.put("pretrained", pretrained.annotateJava("Oil prices rose.").keySet().toString());
    ResourceDownloader.showPublicModels("AlbertForSequenceClassification", "en");
    try {
      AlbertForSequenceClassification.load(folder + "/nowhere");
    } catch (ModelNotFoundException error) {
      found.put("error", "there is nothing at".equals(error.getMessage().substring(0, 19)));
    }
    return found;
  }
}
