package albertine

import com.sun.net.httpserver.{HttpExchange, HttpServer}

import java.net.InetSocketAddress
import java.nio.file.{Files, Path, Paths}
import java.util.concurrent.TimeUnit
import scala.collection.JavaConverters._

/** Programs of Spark's own: its shell, and a cluster. */
class ShellSuite extends SparkTest {
  private val home = Paths.get(sys.env("SPARK_HOME"))
  private val jar = Paths.get(classOf[Classifier].getProtectionDomain.getCodeSource.getLocation.toURI)

  /** What a program of Spark's prints, given some input. */
  private def run(command: Seq[String], input: Path, environment: (String, String)*): String = {
    val out = folder().resolve("out.txt")
    val process =
      new ProcessBuilder(command: _*).redirectInput(input.toFile).redirectErrorStream(true).redirectOutput(out.toFile)
    // as in jvm/test.sh: programs that are short are not optimized
    process.environment().put("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    environment.foreach { case (name, value) => process.environment().put(name, value) }
    val started = process.start()
    assert(started.waitFor(400, TimeUnit.SECONDS))
    new String(Files.readAllBytes(out), "UTF-8")
  }

  private def nothing: Path = Files.createFile(folder().resolve("in.txt"))

  test("the published snippet, typed into Spark's shell, gives the class, with the model from a hub") {
    val folder = this.folder()
    val archive = "albert_base_sequence_classifier_ag_news_en_3.4.0_3.0_1639648298937.zip"
    val model = albertine.internal.Model.load("ag_news", new albertine.internal.Model.Settings())
    model.save(folder.resolve("model").toString)
    val zip = new java.util.zip.ZipOutputStream(Files.newOutputStream(folder.resolve(archive)))
    for (file <- folder.resolve("model").toFile.listFiles()) {
      zip.putNextEntry(new java.util.zip.ZipEntry(file.getName))
      zip.write(Files.readAllBytes(file.toPath))
      zip.closeEntry()
    }
    zip.close()
    val asked = new java.util.concurrent.ConcurrentLinkedQueue[String]
    val server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0)
    server.createContext(
      "/",
      (exchange: HttpExchange) => {
        asked.add(exchange.getRequestURI.getPath)
        val content = Files.readAllBytes(folder.resolve(archive))
        val found = exchange.getRequestURI.getPath == s"/$archive"
        exchange.sendResponseHeaders(if (found) 200 else 404, if (found) content.length.toLong else -1)
        if (found) exchange.getResponseBody.write(content)
        exchange.close()
      }
    )
    server.start()
    try {
      val input = nothing
      Files.write(input, ShellSuite.Snippet.getBytes("UTF-8"))
      val said = run(
        Seq(
          home.resolve("bin/spark-shell").toString,
          "--master",
          "local[2]",
          "--conf",
          "spark.ui.enabled=false",
          "--jars",
          jar.toString
        ),
        input,
        "ALBERTINE_HUB" -> s"http://127.0.0.1:${server.getAddress.getPort}/",
        "ALBERTINE_CACHE" -> folder.resolve("cache").toString,
        "HOME" -> folder.toString
      )
      assert(said.contains("|[Business]|"), said)
      assert(asked.asScala.toSet == Set(s"/$archive"))
    } finally server.stop(0)
  }

  test("a cluster whose executor is killed gives every row once, the model sent to it") {
    val folder = this.folder()
    sequence.save(folder.resolve("stage").toString)
    // the tests, as the jar of a job
    val program = new java.util.zip.ZipOutputStream(Files.newOutputStream(folder.resolve("program.jar")))
    for (
      part <- Seq("albertine", ""); file <- classes.resolve(part).toFile.listFiles()
      if file.getName.matches("Cl(usterProgram|assify).*")
    ) {
      program.putNextEntry(new java.util.zip.ZipEntry(classes.relativize(file.toPath).toString))
      program.write(Files.readAllBytes(file.toPath))
      program.closeEntry()
    }
    program.close()
    val labels = folder.resolve("labels").toString
    val said = run(
      Seq(
        home.resolve("bin/spark-submit").toString,
        "--master",
        "local-cluster[2,1,1024]",
        "--class",
        "albertine.ClusterProgram"
      ) ++
        Seq("--conf", "spark.ui.enabled=false", "--jars", jar.toString, folder.resolve("program.jar").toString) ++
        Seq(folder.resolve("stage").toString, "12000", folder.resolve("texts").toString, labels),
      nothing
    )
    assert(said.contains("killed executor "), said)
    assert(said.contains("rows 12000, distinct 12000, without a class 0, as on the driver true"), said)
    val table = spark.read.parquet(labels)
    assert(table.columns.toSeq == Seq("id", "text", "label", "score") && table.count() == 100)
    assert(
      table.filter("label in ('World', 'Sports', 'Business', 'Sci/Tech') and score between 0.25 and 1").count() == 100
    )
  }
}

object ShellSuite {

  /** As it is published, with the imports changed and one slip of a name corrected. */
  val Snippet: String = """
import albertine.base._
import albertine.annotator._
import org.apache.spark.ml.Pipeline

val document_assembler = DocumentAssembler() 
.setInputCol("text") 
.setOutputCol("document")

val tokenizer = Tokenizer() 
.setInputCols("document") 
.setOutputCol("token")

val sequenceClassifier = AlbertForSequenceClassification.pretrained("albert_base_sequence_classifier_ag_news", "en")
.setInputCols("document", "token")
.setOutputCol("class")
.setCaseSensitive(false)
.setMaxSentenceLength(512)

val pipeline = new Pipeline().setStages(Array(document_assembler, tokenizer, sequenceClassifier))

val example = Seq("Disney Comics was a comic book publishing company operated by The Walt Disney Company which ran from 1990 to 1993.").toDS.toDF("text")

val result = pipeline.fit(example).transform(example)

result.select("class.result").show(false)
"""
}
