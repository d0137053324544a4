package albertine.internal;

import albertine.NativeLibraryException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;
import java.util.Properties;

/**
 * Loads the native library out of the jar, once for each class loader.
 *
 * <p>It is unpacked into a folder of its own that nobody else can write to, loaded, and removed at once: a system that
 * has loaded a file does not need its name, and nothing is left behind by a process that is killed. Two class loaders
 * with a jar each have a file each, since a JVM loads no file twice.
 */
public final class NativeLibrary {
  /** The system property with the path of a library to load instead of the jar's. */
  public static final String LIBRARY = "albertine.native.library";

  /** The system property with the folder to unpack into, where programs must not run from the temporary folder. */
  public static final String FOLDER = "albertine.native.folder";

  private static boolean loaded;
  private static NativeLibraryException failure;

  private NativeLibrary() {}

  /**
   * Loads the library, if it is not loaded.
   *
   * @throws NativeLibraryException the same at every call, once the first has failed
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    if (failure == null) {
      try {
        loadOnce();
        loaded = true;
        return;
      } catch (NativeLibraryException error) {
        failure = error;
      }
    }
    throw new NativeLibraryException(failure.getMessage(), failure);
  }

  /** The version of the jar. */
  public static String version() {
    Properties properties = new Properties();
    try (InputStream file = NativeLibrary.class.getResourceAsStream("/albertine/version.properties")) {
      if (file != null) {
        properties.load(file);
      }
    } catch (IOException error) {
      throw new NativeLibraryException("cannot read the version of the jar", error);
    }
    return properties.getProperty("version", "unknown");
  }

  private static void loadOnce() {
    String library = System.getProperty(LIBRARY);
    if (library != null) {
      load(Paths.get(library).toAbsolutePath());
    } else {
      loadFromJar();
    }
    String found;
    try {
      found = Native.version();
    } catch (UnsatisfiedLinkError error) {
      String path = library == null ? "the file in the jar" : library;
      throw new NativeLibraryException(path + " is no native library of albertine: " + error.getMessage(), error);
    }
    if (!found.equals(version())) {
      throw new NativeLibraryException(
          "the native library has version " + found + ", but the jar " + version()
              + ": there is another library in the way, or another jar");
    }
  }

  private static void loadFromJar() {
    String platform = platform();
    String name = System.mapLibraryName("albertine_jvm");
    String resource = "/albertine/native/" + platform + "/" + name;
    Path folder = null;
    Path file = null;
    try (InputStream content = NativeLibrary.class.getResourceAsStream(resource)) {
      if (content == null) {
        throw new NativeLibraryException(
            "the jar has no native library for " + platform + "; one that was built there is used with -D" + LIBRARY
                + "=PATH");
      }
      String parent = System.getProperty(FOLDER, System.getProperty("java.io.tmpdir"));
      Files.createDirectories(Paths.get(parent));
      folder = Files.createTempDirectory(Paths.get(parent), "albertine-");
      file = folder.resolve(name);
      Files.copy(content, file);
      load(file);
    } catch (IOException error) {
      throw new NativeLibraryException(
          "cannot unpack the native library: " + error + "; -D" + FOLDER + "=PATH names another folder", error);
    } finally {
      remove(file);
      remove(folder);
    }
  }

  private static void remove(Path path) {
    if (path != null) {
      try {
        Files.deleteIfExists(path);
      } catch (IOException error) {
        // where a loaded file cannot be removed, it goes with the process
        path.toFile().deleteOnExit();
      }
    }
  }

  private static void load(Path file) {
    try {
      System.load(file.toString());
    } catch (UnsatisfiedLinkError error) {
      throw new NativeLibraryException("cannot load the native library: " + error.getMessage() + advice(error), error);
    }
  }

  private static String advice(UnsatisfiedLinkError error) {
    String message = String.valueOf(error.getMessage());
    if (message.contains("GLIBC")) {
      return "; this system is older than the one that the library was built on: build it here, with `make jar`";
    }
    // the second is what glibc says of a folder that is mounted noexec
    if (message.contains("Permission denied") || message.contains("failed to map segment")) {
      return "; programs may not run from that folder: -D" + FOLDER + "=PATH names another";
    }
    if (message.contains("ld-linux") || Files.exists(Paths.get("/lib/ld-musl-x86_64.so.1"))) {
      return "; the library needs glibc, which this system does not have";
    }
    return "";
  }

  private static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String name = system.startsWith("windows") ? "windows" : system.startsWith("mac") ? "macos" : system;
    String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return name + "-" + (machine.equals("x86_64") ? "amd64" : machine);
  }
}
