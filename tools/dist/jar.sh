#!/bin/sh
# The jars, a line of Scala each, with the native libraries that build.sh left for both kinds of processors.
set -eu
cd "$(dirname "$0")/../.."
parts=target/dist-parts

for pair in x86_64:amd64 aarch64:aarch64; do
    cpu=${pair%:*}
    install -D -m 644 "target/$cpu-unknown-linux-gnu/release/libalbertine_jvm.so" \
        "$parts/jvm/resources/albertine/native/linux-${pair#*:}/libalbertine_jvm.so"
    install -D -m 644 -t "$parts/jvm/resources/albertine/native/linux-${pair#*:}" "$parts/sbom/$cpu/albertine-jvm.cdx.json"
done
for line in 2.12 2.13; do
    mvn --quiet --batch-mode --file jvm/pom.xml --activate-profiles "scala-$line" -Dmaven.test.skip=true \
        -Dalbertine.target="$PWD/$parts/jvm" package
    cp "$parts/jvm/$line/albertine-spark_$line"-*.jar target/dist
done
