#!/bin/sh
# The tests of the jar for one line of Scala, in a Spark as it is distributed:
#
#   jvm/test.sh 2.13 path/to/spark [more options of ScalaTest's Runner, such as -s albertine.GoldenTextSuite]
#
# `make jar` must have been run. SPARK may also be a file with a class path, as Maven writes it, for tests that need no
# scripts of Spark's.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
line=$1
spark=$2
shift 2
target=$root/target/jvm/$line
if [ -d "$spark" ]; then
  export SPARK_HOME="$spark"
  classes="$spark/jars/*"
else
  classes=$(cat "$spark")
fi
# what spark-submit gives to Java 17
opens=
for package in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens="$opens --add-opens=java.base/$package=ALL-UNNAMED"
done
# shellcheck disable=SC2086
exec java $opens -XX:+IgnoreUnrecognizedVMOptions -Djdk.reflect.useDirectMethodHandle=false -Xmx3g -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dfile.encoding=UTF-8 \
  -Dalbertine.root="$root" -Dalbertine.line="$line" -Dlog4j2.configurationFile="$root/jvm/src/test/resources/log4j2.properties" \
  -cp "$(ls "$target"/albertine-spark_"$line"-*[0-9].jar):$target/test-classes:$(cat "$target/scalatest.classpath"):$classes" \
  org.scalatest.tools.Runner -R "$target/test-classes" -oDW "$@"
