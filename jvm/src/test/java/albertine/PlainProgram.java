package albertine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Collections;
import java.util.concurrent.Callable;

/** A program that has the jar and nothing else. */
public final class PlainProgram {
  private PlainProgram() {}

  public static void main(String[] arguments) throws Exception {
    String what = arguments.length == 0 ? "classify" : arguments[0];
    if (what.equals("collect")) {
      collect();
    } else if (what.equals("limit")) {
      limit();
    } else {
      try (Classifier classifier = new Classifier("ag_news")) {
        System.out.println(classifier.classify("The striker scored twice in the final.").getLabel());
        System.out.println(String.join(", ", classifier.labels()));
      }
    }
  }

  /** Megabytes that 200 models took of which none was closed. */
  private static void collect() throws Exception {
    new Classifier("ag_news").close();
    long before = memory("VmRSS");
    for (int index = 0; index < 200; index++) {
      Classifier.builder("ag_news").threads(1).build().classify("Oil fell.");
      System.gc();
    }
    System.out.println((memory("VmRSS") - before) / 1024);
  }

  /** What becomes of a model, and of a text, for which the process may not have the memory; and afterwards. */
  private static void limit() throws Exception {
    told(() -> new Classifier("./nowhere"));
    allow(-1);
    allow(memory("VmSize") + 2048);
    told(() -> new Classifier("ag_news"));
    allow(-1);
    try (Classifier classifier = Classifier.builder("ag_news").threads(1).build()) {
      String text = String.join(" ", Collections.nCopies(500, "oil"));
      allow(memory("VmSize") + 2048);
      told(() -> classifier.classify(text));
      allow(-1);
      System.out.println(classifier.classify(text).getLabel());
    }
  }

  private static void told(Callable<?> call) throws Exception {
    try {
      System.out.println("no error: " + call.call());
    } catch (AlbertineException error) {
      System.out.println(error);
    }
  }

  /** Allows this process so many kilobytes of addresses; -1 for as many as there are. */
  private static void allow(long kilobytes) throws Exception {
    String limit = kilobytes < 0 ? "unlimited" : Long.toString(kilobytes * 1024);
    Path self = Paths.get("/proc/self").toRealPath().getFileName();
    ProcessBuilder process = new ProcessBuilder("prlimit", "--pid", self.toString(), "--as=" + limit + ":");
    if (process.inheritIO().start().waitFor() != 0) {
      throw new IllegalStateException("prlimit");
    }
  }

  /** A figure of this process in kilobytes. */
  private static long memory(String name) throws Exception {
    for (String line : Files.readAllLines(Paths.get("/proc/self/status"))) {
      if (line.startsWith(name + ":")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IllegalStateException(name);
  }
}
