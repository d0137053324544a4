#!/bin/sh
# The command, the native library of the jar and the wheel for one kind of processor: build.sh x86_64|aarch64
#
# zig compiles C and links, for glibc 2.17. `cargo-zigbuild` sets the environment for that and starts what it is told is
# cargo, which is this script once more, for maturin needs the same environment: with another one cargo compiles the
# packages with C anew, and all that use them.
set -eu
cd "$(dirname "$0")/../.."

if [ "$1" = build ]; then
    unset CARGO
    $DIST_CARGO build --release --locked --target "$TARGET" \
        --package albertine-cli --package albertine-jvm --features albertine-cli/man
    maturin build --release --locked --target "$TARGET" --manifest-path python/Cargo.toml \
        --compatibility manylinux2014 --auditwheel check \
        --sbom-include "$PWD/target/dist-parts/sbom/$CPU/albertine-python.cdx.json" --out target/dist
    exit
fi

export CPU="$1" TARGET="$1-unknown-linux-gnu" DIST_CARGO="${CARGO:-cargo}"
if ! ls "$(rustc --print target-libdir --target "$TARGET")"/libstd-*.rlib >/dev/null 2>&1; then
    if ! command -v rustup >/dev/null; then
        echo "error: there is no standard library of Rust for $TARGET, and no rustup to add it" >&2
        exit 1
    fi
    rustup target add "$TARGET"
fi
# In messages of a panic, the packages' sources do not lie in somebody's home.
export RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates"
CARGO="$PWD/tools/dist/build.sh" cargo-zigbuild zigbuild --release --target "$TARGET.2.17"
