import albertine.Classifier;

/** A headline's label, by a program that has nothing but the jar. */
public class Headline {
  public static void main(String[] args) {
    try (Classifier classifier = new Classifier("ag_news")) {
      System.out.println(classifier.classify(args[0]).getLabel());
    }
  }
}
