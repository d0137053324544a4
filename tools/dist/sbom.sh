#!/bin/sh
# The bills of materials (CycloneDX) of what is built for one kind of processor: sbom.sh x86_64|aarch64
set -eu
cd "$(dirname "$0")/../.."
out=target/dist-parts/sbom/$1
mkdir -p "$out"

# One is written beside the manifest of each crate; three are of binaries. What they say must not depend on when and
# where it was made.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) cargo cyclonedx --quiet --format json --spec-version 1.5 \
    --no-build-deps --target "$1-unknown-linux-gnu"
for bill in crates/cli/albertine-cli jvm/native/albertine-jvm python/albertine-python; do
    sed "s#file://$PWD#file://.#g" "$bill.cdx.json" > "$out/${bill##*/}.cdx.json"
done
find crates jvm python -name '*.cdx.json' -delete
