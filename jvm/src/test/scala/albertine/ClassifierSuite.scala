package albertine

import java.util.concurrent.{Callable, Executors, TimeUnit}
import scala.collection.JavaConverters._

/** The classifier of plain programs. */
@Once
class ClassifierSuite extends SparkTest {

  private def bits(scores: Map[String, Float]): Map[String, Int] =
    scores.map { case (label, score) => label -> java.lang.Float.floatToIntBits(score) }

  test("scores are those of the command, bit for bit") {
    val texts = headlines(500) ++ Seq(null, "", " ", "日本 😀 ok. é", "x" * 5000)
    val expected = commandScores(texts)
    val classifier = new Classifier("ag_news")
    val found = classifier.classify(texts.asJava).asScala.toSeq
    assert(found.size == texts.size)
    for ((ours, theirs) <- found.zip(expected)) {
      val scores = Option(ours).map(one =>
        one.getLabel -> one.getScores.asScala.map { case (label, score) => label -> score.floatValue }.toMap
      )
      assert(scores.map(_._1) == theirs.map(_._1))
      assert(scores.map(pair => bits(pair._2)) == theirs.map(pair => bits(pair._2)))
    }
    assert(classifier.labels.asScala == Seq("World", "Sports", "Business", "Sci/Tech"))
    classifier.close()
  }

  test("threads share a classifier") {
    val classifier = new Classifier("ag_news")
    val texts = headlines(64)
    val alone = texts.map(classifier.classify(_).getScores)
    val pool = Executors.newFixedThreadPool(8)
    try {
      val calls = Seq.fill(32)(new Callable[Boolean] {
        override def call(): Boolean = classifier.classify(texts.asJava).asScala.map(_.getScores).toSeq == alone
      })
      assert(pool.invokeAll(calls.asJava).asScala.forall(_.get()))
    } finally pool.shutdown()
  }

  test("settings are those of the library") {
    val long =
      ("Oil prices rose again. " * 200) + "The striker scored twice in the final and the team won the cup. " * 40
    val cut = Classifier.builder("ag_news").maxSentenceLength(32).build()
    val whole = Classifier.builder("ag_news").windowOverlap(16).threads(2).build()
    assert(cut.classify(long).getScores != whole.classify(long).getScores)
    val int8 = Classifier.builder("ag_news").precision("int8").build()
    assert(int8.classify(texts(1)._1).getLabel == "Sports")
    assert(Classifier.builder("ag_news").encoding("token").caseSensitive(false).lang("en").build().classify(
      texts(1)._1
    ).getLabel == "Sports")
  }

  test("texts that are truncated are counted, and told to a logger") {
    val told = new java.util.concurrent.ConcurrentLinkedQueue[String]
    val logger = java.util.logging.Logger.getLogger("albertine")
    val handler = new java.util.logging.Handler {
      override def publish(record: java.util.logging.LogRecord): Unit = { told.add(record.getMessage); () }
      override def flush(): Unit = ()
      override def close(): Unit = ()
    }
    logger.addHandler(handler)
    logger.setUseParentHandlers(false)
    try {
      val classifier = Classifier.builder("ag_news").maxSentenceLength(16).build()
      classifier.classify(Seq("oil " * 100, "Oil rose.", null, "gas " * 100).asJava)
      classifier.classify("Oil rose.")
      assert(told.asScala.toSeq == Seq(
        "2 texts of more than 16 tokens were truncated: maxSentenceLength or windowOverlap would read more"
      ))
    } finally {
      logger.removeHandler(handler)
      logger.setUseParentHandlers(true)
    }
  }

  test("what is wrong is told by the class of the exception and the library's words") {
    assert(
      intercept[ModelNotFoundException](new Classifier("ag_mews")).getMessage.contains("the nearest are `ag_news`")
    )
    assert(intercept[ModelNotFoundException](new Classifier("./nowhere")).getMessage.contains("nowhere"))
    val folder = this.folder()
    java.nio.file.Files.write(folder.resolve("config.json"), "{".getBytes)
    assert(intercept[ModelException](new Classifier(folder.toString)).getMessage.contains("config.json"))
    val refused = Seq[(Classifier.Builder => Classifier.Builder, String)](
      (_.maxSentenceLength(1), "must lie between 2 and 512 for this model, but 1 was asked for"),
      (_.maxSentenceLength(-1), "maxSentenceLength is -1, expected a whole number from 0 up"),
      (_.precision("f64"), "precision set to f64, expected f32, bf16 or int8"),
      (_.encoding("word"), "encoding set to word, expected document or token"),
      (_.windowOverlap(400), "overlap by fewer than half"),
      (_.threads(100000), "100000 threads were asked for")
    )
    for ((setting, message) <- refused)
      assert(intercept[ParamException](setting(Classifier.builder("ag_news")).build()).getMessage.contains(message))
    assert(intercept[ParamException](new Classifier(null: String)).getMessage == "the name of a model is null")
    val unset = Classifier.builder("ag_news").precision(null).lang(null).build()
    assert(unset.classify(texts.head._1).getLabel == "Business")
  }

  test("a closed classifier says so, also to calls of other threads") {
    val classifier = new Classifier("ag_news")
    assert(classifier.labels.size == 4)
    classifier.close()
    classifier.close()
    assert(intercept[ClosedException](classifier.classify("x")).getMessage == "the model is closed")
    val shared = new Classifier("ag_news")
    val texts = headlines(2000).asJava
    val pool = Executors.newFixedThreadPool(4)
    val calls = (0 until 8).map(_ =>
      pool.submit(new Callable[Int] {
        override def call(): Int =
          try shared.classify(texts).size
          catch { case _: ClosedException => 0 }
      })
    )
    Thread.sleep(20)
    shared.close()
    assert(calls.map(_.get(60, TimeUnit.SECONDS)).forall(size => size == 0 || size == 2000))
    pool.shutdown()
  }

  test("an interrupted call stops within a second") {
    val classifier = Classifier.builder("ag_news").threads(1).build()
    val texts = headlines(60000).asJava
    @volatile var outcome: Option[Throwable] = None
    val thread = new Thread(() =>
      try { classifier.classify(texts); () }
      catch { case error: Throwable => outcome = Some(error) }
    )
    thread.start()
    Thread.sleep(300)
    assert(thread.isAlive, "the texts are too few for this machine")
    val since = System.nanoTime()
    thread.interrupt()
    thread.join(20000)
    assert((System.nanoTime() - since) / 1e9 < 1.0)
    assert(outcome.exists(_.isInstanceOf[CancelledException]))
  }

  test("no file of the native library stays behind") {
    new Classifier("ag_news").close()
    def listed(folder: java.io.File) = Option(folder.listFiles()).getOrElse(Array.empty[java.io.File])
    // named as the library's own folders are; tests have others
    val own = listed(new java.io.File(sys.props("java.io.tmpdir"))).filter(_.getName.matches("albertine-\\d+"))
    assert(!own.flatMap(listed).exists(_.getName.contains("albertine_jvm")))
  }
}
