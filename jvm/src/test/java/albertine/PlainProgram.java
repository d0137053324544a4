package albertine;

/** A program that has the jar and nothing else. */
public final class PlainProgram {
  private PlainProgram() {}

  public static void main(String[] arguments) {
    try (Classifier classifier = new Classifier("ag_news")) {
      System.out.println(classifier.classify("The striker scored twice in the final.").getLabel());
      System.out.println(String.join(", ", classifier.labels()));
    }
  }
}
