package albertine

import albertine.annotator._
import albertine.base._
import org.apache.spark.SparkException
import org.apache.spark.ml.{Pipeline, PipelineStage}
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.types._

import java.util.concurrent.TimeUnit
import scala.collection.JavaConverters._

/** What stages do to tables of Spark's. */
class TableSuite extends SparkTest {

  private def classified(table: DataFrame): DataFrame = new Pipeline().setStages(stages).fit(table).transform(table)

  test("labels are those of texts, and missing texts have none") {
    assert(labels(classified(table)) == texts.map(_._2))
  }

  // 100,000, all different, take some minutes: ALBERTINE_ROWS=100000 make jvm
  private val many = sys.env.getOrElse("ALBERTINE_ROWS", "10000").toInt

  test(s"$many rows have the labels and bits of the command and of the Python package, every row once") {
    val some = headlines(if (many > 10000) many else 2500)
    val rows = spark.range(0, many.toLong, 1, 8).select((col("id") % some.size).cast("int").as("n"), col("id"))
      .join(spark.createDataFrame(some.zipWithIndex.map(_.swap)).toDF("n", "text"), "n")
    val file = folder().resolve("table").toString
    classified(rows).select("id", "n", "text", "document", "token", "class").write.parquet(file)
    val found = spark.read.parquet(file).select("id", "n", "class").collect()
    assert(found.map(_.getLong(0)).sorted.sameElements(0L until many.toLong))
    val expected = commandScores(some)
    val labels = Seq("World", "Sports", "Business", "Sci/Tech")
    for (row <- found) {
      val annotation = row.getSeq[Row](2).head
      val metadata = annotation.getMap[String, String](4)
      val (label, scores) = expected(row.getInt(1)).get
      assert(annotation.getString(3) == label)
      labels.foreach(label => assert(metadata(label).toFloat == scores(label)))
    }
    // the whole of each annotation, by the package without Spark
    if (sys.env.get("ALBERTINE_TEST_PYTHON").exists(_.nonEmpty))
      assert(python(TableSuite.SameInPython, file).trim == s"$many rows, 0 different")
  }

  test("stages that follow one another are one pass over the rows") {
    val result = classified(table)
    val plan = result.queryExecution.optimizedPlan.toString
    assert("MapPartitions".r.findAllIn(plan).size == 1, plan)
  }

  test("a chain begins again at a table that is cached, and gives the same") {
    val model = new Pipeline().setStages(stages).fit(table)
    val tokens = model.stages(1).transform(model.stages(0).transform(table)).cache()
    val result = model.stages(2).transform(tokens)
    assert("MapPartitions".r.findAllIn(
      result.queryExecution.withCachedData.toString.split("InMemoryRelation").head
    ).size == 1)
    assert(result.queryExecution.withCachedData.toString.contains("InMemoryRelation"))
    assert(labels(result) == texts.map(_._2))
    tokens.unpersist()
  }

  test("stages over what others made of a table of theirs see that") {
    val model = new Pipeline().setStages(stages).fit(table)
    val few = model.stages(1).transform(model.stages(0).transform(table)).filter("place < 2")
    assert(labels(model.stages(2).transform(few)) == texts.take(2).map(_._2))
  }

  test("every type of Spark's passes unchanged, with the metadata and the nullability of its column") {
    val row = spark.sql("""select
      'Oil rose.' as text, true as b, cast(1 as byte) as i8, cast(2 as short) as i16, 3 as i32, 4L as i64, cast(0.1 as float) as f32,
      0.1D as f64, 12345678901234567890.123456789BD as dec, cast(1.50 as decimal(5,2)) as small, X'00FF' as bin,
      date'1582-10-10' as old, date'0001-01-01' as first, timestamp'1582-10-10 01:02:03.000004' as ts, timestamp_ntz'0001-01-01 00:00:00' as ntz,
      interval '1-2' year to month as ym, interval '3 04:05:06.000007' day to second as dt, make_interval(1,2,3,4,5,6,7.5) as cal,
      null as nothing, cast(null as string) as missing, array(1, null, 3) as list, array(array('a'), array()) as lists,
      named_struct('x', 1, 'y', named_struct('z', date'1500-02-28')) as deep, map('k1', 1, 'k2', null) as pairs,
      map(named_struct('a', 1), array(map('q', date'1582-10-11'))) as mixed, double('NaN') as nan, float('-Infinity') as inf,
      cast('ab' as char(5)) as fixed, 'é😀' as words""")
    val vector = org.apache.spark.ml.linalg.Vectors.sparse(5, Seq(1 -> 2.0, 3 -> 4.0))
    val withVector = row.crossJoin(spark.createDataFrame(Seq(Tuple1(vector))).toDF("vector"))
    val metadata = new MetadataBuilder().putString("comment", "kept").putLong("n", 7).build()
    val before = withVector.withColumn("f64", col("f64").as("f64", metadata))
    val variants =
      if (spark.version.startsWith("4"))
        before.selectExpr("*", "parse_json('{\"a\": [1, 2.5, \"x\"]}') as variant", "'Ab' collate UTF8_LCASE as folded")
      else before
    val after = classified(variants)
    assert(after.schema.take(variants.schema.size) == variants.schema.toSeq)
    val prints = (table: DataFrame) =>
      table.selectExpr(variants.columns.toSeq.filterNot(Set("vector", "variant", "mixed", "pairs", "cal")).map(name =>
        s"xxhash64($name) as $name"
      ) ++
        Seq(
          "cast(vector as string) as vector",
          "cast(pairs as string) as pairs",
          "cast(mixed as string) as mixed",
          "cast(cal as string) as cal"
        ) ++
        (if (variants.columns.contains("variant")) Seq("to_json(variant) as variant") else Nil): _*).collect().toSeq
    assert(prints(after) == prints(variants))
    // also where the session has the other calendar's types
    spark.conf.set("spark.sql.datetime.java8API.enabled", "true")
    try assert(prints(classified(variants)) == prints(variants))
    finally spark.conf.unset("spark.sql.datetime.java8API.enabled")
    assert(spark.conf.get("spark.sql.datetime.java8API.enabled") == "false")
  }

  test("columns may have any names") {
    val odd =
      spark.createDataFrame(Seq(("a.b", "The striker scored twice in the final.", 1))).toDF("x.y", "te xt", "`q`")
    val first = DocumentAssembler().setInputCol("te xt").setOutputCol("doc.ument")
    val token = Tokenizer().setInputCols("doc.ument").setOutputCol("tok`en")
    val last =
      AlbertForSequenceClassification.pretrained().setInputCols(Array("doc.ument", "tok`en")).setOutputCol("cl.ass")
    val result = new Pipeline().setStages(Array(first, token, last)).fit(odd).transform(odd)
    assert(result.columns.toSeq == Seq("x.y", "te xt", "`q`", "doc.ument", "tok`en", "cl.ass"))
    assert(result.collect().head.getSeq[Row](5).head.getString(3) == "Sports")
  }

  test("upper and lower case are the same where Spark takes them so") {
    val upper = table.withColumnRenamed("text", "TEXT")
    assert(labels(classified(upper)) == texts.map(_._2))
    spark.conf.set("spark.sql.caseSensitive", "true")
    try assert(intercept[ColumnException](classified(upper)).getMessage.contains("there is no column `text`"))
    finally spark.conf.unset("spark.sql.caseSensitive")
    // of the session that the table is from
    val strict = spark.newSession()
    strict.conf.set("spark.sql.caseSensitive", "true")
    val upperThere = strict.createDataFrame(Seq(Tuple1("Oil rose."))).toDF("TEXT")
    assert(intercept[ColumnException](document.transform(upperThere)).getMessage.contains("there is no column `text`"))
    val error = intercept[ColumnException](document.setOutputCol("PLACE").transform(table))
    assert(
      error.getMessage == "column `PLACE` would differ from `place` in case alone, which Spark takes for the same name"
    )
  }

  test("sentences may have rows of their own, with the other columns of theirs") {
    val two =
      spark.createDataFrame(Seq((1, "Oil rose. Gas fell."), (2, ""), (3, null), (4, "One only."))).toDF("id", "text")
    val sentence = SentenceDetector().setInputCols("document").setOutputCol("sentence").setExplodeSentences(true)
    val token = Tokenizer().setInputCols("sentence").setOutputCol("token")
    val class_ = AlbertForSequenceClassification.pretrained().setInputCols("sentence", "token").setOutputCol("class")
    val result = new Pipeline().setStages(Array(document, sentence, token, class_)).fit(two).transform(two)
    val found = result.selectExpr("id", "sentence[0].result", "size(class)").collect().toSeq.map(row =>
      (row.getInt(0), row.getString(1), row.getInt(2))
    )
    assert(found.sorted == Seq((1, "Gas fell.", 1), (1, "Oil rose.", 1), (4, "One only.", 1)))
  }

  test("lists of texts, ids and metadata are read") {
    val lists = spark.sql("select array('Oil rose.', null) as text, 7L as id, map('source', 'wire') as facts")
    val result = DocumentAssembler().setInputCol("text").setOutputCol("document").setIdCol("id").setMetadataCol(
      "facts"
    ).transform(lists)
    val found = Annotation.collect(result, "document").head
    assert(found.map(_.result).toSeq == Seq("Oil rose.", ""))
    assert(found.head.metadata.toMap == Map("id" -> "7", "source" -> "wire", "sentence" -> "0"))
  }

  test("what is missing or wrong is told before any job") {
    val wrong = Seq[(() => Any, Class[_ <: AlbertineException], String)](
      (() => classified(table.drop("text")), classOf[ColumnException], "there is no column `text`"),
      (
        () => document.setInputCol("place").transform(table),
        classOf[ColumnException],
        "column `place` holds Int32, not text"
      ),
      (
        () => document.setInputCol("cal").transform(table.selectExpr("*", "make_interval(1) as cal")),
        classOf[ColumnException],
        "column `cal`"
      ),
      (
        () => document.setOutputCol("place").transform(table),
        classOf[ColumnException],
        "would overwrite column `place`"
      ),
      (
        () => document.setCleanupMode("sharp").transform(table),
        classOf[ParamException],
        "there is no cleanup mode \"sharp\""
      ),
      (
        () => document.transform(table.withColumn("x", lit(1)).withColumnRenamed("x", "text")),
        classOf[ColumnException],
        "several columns `text`"
      ),
      (() => classified(table.limit(0).select(lit(1).as("text"))), classOf[ColumnException], "holds Int32"),
      (() => tokenizer.setPrefixPattern("x").fit(table), classOf[ParamException], "prefixPattern cannot be"),
      (
        () => sequence.setMaxSentenceLength(513).transform(table),
        classOf[ParamException],
        "must lie between 2 and 512 for this model, but 513"
      ),
      (
        () =>
          sequence.setThreshold(2f).setActivation("sigmoid").transform(
            tokenizer.fit(table).transform(document.transform(table))
          ),
        classOf[ParamException],
        "the threshold must lie between 0 and 1, but 2 was asked for"
      ),
      (
        () => AlbertForSequenceClassification().setInputCols("a", "b").setOutputCol("c").transform(table),
        classOf[PipelineException],
        "there is no model: use AlbertForSequenceClassification.pretrained(name) or " +
          "AlbertForSequenceClassification.load(path)"
      ),
      (() => sequence.setPrecision("f64").transform(table), classOf[ParamException], "precision set to f64"),
      (() => sequence.setActivation(null).transform(table), classOf[ParamException], "activation is null"),
      (
        () => BertForSequenceClassification.pretrained("ag_news"),
        classOf[ModelException],
        "is a model for AlbertForSequenceClassification"
      )
    )
    for ((call, kind, message) <- wrong) {
      val error = intercept[AlbertineException](call())
      assert(kind.isInstance(error) && error.getMessage.contains(message), s"$kind $message: $error")
    }
  }

  test("a row that cannot be worked on is told with its partition and number") {
    // a pattern that backtracks without end on such a text
    val hard = "a" * 60 + "!"
    val rows = (0 until 40).map(n => if (n == 33) hard else s"text $n")
    val token = Tokenizer().setInputCols("document").setOutputCol("token").setInfixPatterns(Array("((?:(?=(a+))a+)+b)"))
    val many = spark.createDataFrame(rows.map(Tuple1(_))).toDF("text").coalesce(1)
    val result = new Pipeline().setStages(Array[PipelineStage](document, token)).fit(many).transform(many)
    val error = intercept[SparkException](result.collect())
    val cause =
      Iterator.iterate[Throwable](error)(_.getCause).takeWhile(_ != null).collectFirst { case row: RowException => row }
    assert(
      cause.exists(_.getMessage.startsWith("partition 0, row 33: ")) || error.getMessage.contains(
        "RowException: partition 0, row 33: "
      ),
      error
    )
  }

  test("texts that are truncated are counted in an accumulator") {
    val long = spark.createDataFrame((0 until 10).map(n => (n, "oil " * (if (n < 3) 100 else 5)))).toDF("place", "text")
    @volatile var counted = Map.empty[String, Long]
    val listener = new org.apache.spark.scheduler.SparkListener {
      override def onStageCompleted(stage: org.apache.spark.scheduler.SparkListenerStageCompleted): Unit =
        stage.stageInfo.accumulables.values.foreach(found =>
          (found.name, found.value) match {
            case (Some(name), Some(value: Long)) if name.contains("albertine") => counted += name -> value
            case _                                                             =>
          }
        )
    }
    spark.sparkContext.addSparkListener(listener)
    val model = new Pipeline().setStages(Array(document, tokenizer, sequence.setMaxSentenceLength(32))).fit(long)
    assert(model.transform(long).select("class").collect().length == 10)
    Iterator.continually(Thread.sleep(50)).take(100).find(_ => counted.nonEmpty)
    assert(counted == Map("texts over 32 tokens, truncated by albertine" -> 3L))
    spark.sparkContext.removeSparkListener(listener)
  }

  test("a cancelled job's tasks stop within a second") {
    val slow = spark.range(0, 400000, 1, 4).select(concat(
      lit("oil prices and shares fell again on monday "),
      col("id").cast("string")
    ).as("text"))
    val job = new Thread(() =>
      try { classified(slow).selectExpr("count(class[0].result)").collect(); () }
      catch { case _: Throwable => () }
    )
    val group = "albertine-cancelled"
    val started = new java.util.concurrent.CountDownLatch(4)
    val ended = new java.util.concurrent.CountDownLatch(4)
    val listener = new org.apache.spark.scheduler.SparkListener {
      override def onTaskStart(task: org.apache.spark.scheduler.SparkListenerTaskStart): Unit = started.countDown()
      override def onTaskEnd(task: org.apache.spark.scheduler.SparkListenerTaskEnd): Unit = ended.countDown()
    }
    spark.sparkContext.addSparkListener(listener)
    val runner =
      new Thread(() => { spark.sparkContext.setJobGroup(group, group, interruptOnCancel = false); job.run() })
    runner.start()
    assert(started.await(60, TimeUnit.SECONDS))
    Thread.sleep(1500)
    assert(ended.getCount == 4, "the rows are too few for this machine")
    val since = System.nanoTime()
    spark.sparkContext.cancelJobGroup(group)
    assert(ended.await(20, TimeUnit.SECONDS))
    val seconds = (System.nanoTime() - since) / 1e9
    assert(seconds < 1.0)
    runner.join()
    spark.sparkContext.removeSparkListener(listener)
  }

  private def call(target: AnyRef, name: String, arguments: String*): AnyRef =
    target.getClass.getMethod(name, arguments.map(_.getClass): _*).invoke(target, arguments: _*)

  test("a stream is classified as a table is") {
    val folder = this.folder()
    val out = folder.resolve("out").toString
    table.coalesce(1).write.parquet(folder.resolve("in").toString)
    val stream = spark.readStream.schema(table.schema).parquet(folder.resolve("in").toString)
    val model = new Pipeline().setStages(stages).fit(table)
    // the writer's methods return another class in each line of Spark
    val writer = call(
      call(model.transform(stream).writeStream, "format", "parquet"),
      "option",
      "checkpointLocation",
      folder.resolve("check").toString
    )
    val query = call(writer, "start", out).asInstanceOf[org.apache.spark.sql.streaming.StreamingQuery]
    query.processAllAvailable()
    query.stop()
    val back = spark.read.parquet(out)
    assert(labels(back) == texts.map(_._2))
    // annotation columns keep their type in files
    assert(back.schema("class").metadata.getString("annotatorType") == "category")
  }

  test("a parameter grid is validated across folds") {
    import org.apache.spark.ml.classification.LogisticRegression
    import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
    import org.apache.spark.ml.feature.{HashingTF, SQLTransformer}
    import org.apache.spark.ml.tuning.{CrossValidator, ParamGridBuilder}
    val rows = (0 until 60).map(n =>
      (if (n % 2 == 0) s"The striker scored goal $n." else s"Oil prices rose to $n dollars.", (n % 2).toDouble)
    )
    val table = spark.createDataFrame(rows).toDF("text", "label")
    val finisher = Finisher().setInputCols("token").setOutputCols("words")
    val features = new HashingTF().setInputCol("words").setOutputCol("features").setNumFeatures(256)
    val pipeline =
      new Pipeline().setStages(Array(document, tokenizer, finisher, features, new LogisticRegression().setMaxIter(5)))
    val token = pipeline.getStages(1).asInstanceOf[Tokenizer]
    val grid = new ParamGridBuilder().addGrid(token.minLength, Array(0, 2)).build()
    val validator = new CrossValidator().setEstimator(pipeline).setEvaluator(
      new MulticlassClassificationEvaluator()
    ).setEstimatorParamMaps(grid).setNumFolds(2)
    val best = validator.fit(table)
    assert(best.avgMetrics.length == 2 && best.avgMetrics.forall(_ > 0.9))
    assert(best.transform(table).filter("prediction = label").count() > 55)
  }

  test("every parameter has a setter and a getter, a word on it, and comes back from disk") {
    val all = Seq(document, Finisher(), SentenceDetector(), Tokenizer(), TokenizerModel(), sequence)
    for (stage <- all; param <- stage.params if param.name != "rules") {
      val name = param.name.capitalize
      assert(param.doc.nonEmpty)
      assert(param.name == "engine" || stage.getClass.getMethods.exists(_.getName == s"set$name"), s"$stage has no set$name")
      val getter =
        stage.getClass.getMethods.find(method => method.getName == s"get$name" && method.getParameterCount == 0)
      assert(getter.nonEmpty, s"$stage has no get$name")
      getter.foreach(_.invoke(stage))
    }
    // setters give the class that they are of, for Java
    for (
      stage <- all; method <- stage.getClass.getDeclaredMethods if method.getName.startsWith("set") && !method.isBridge
    )
      assert(method.getReturnType.isInstance(stage) || method.getReturnType == Void.TYPE, method)
  }
}

object TableSuite {

  /** Compares the annotations in a table with those that the Python package gives for its texts. */
  val SameInPython: String = """
import sys
import pyarrow.dataset
from albertine.annotator import AlbertForSequenceClassification, Tokenizer
from albertine.base import DocumentAssembler, PipelineModel
table = pyarrow.dataset.dataset(sys.argv[1]).to_table()
document = DocumentAssembler().setInputCol("text").setOutputCol("document")
token = Tokenizer().setInputCols(["document"]).setOutputCol("token").fit(None)
sequence = AlbertForSequenceClassification.pretrained().setInputCols(["document", "token"]).setOutputCol("class")
again = PipelineModel([document, token, sequence]).transform(table.select(["text"]))
def plain(row):
    return [{**one, "metadata": dict(one["metadata"])} for one in row]
different = 0
for name in ("document", "token", "class"):
    for ours, theirs in zip(table[name], again[name], strict=True):
        different += plain(ours.as_py()) != plain(theirs.as_py())
print(f"{len(table)} rows, {different} different")
"""
}
