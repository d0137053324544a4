#!/bin/sh
# The tests of the ARM levels, compiled for AArch64 and run by an emulator: `make test-arm`. What is missing is installed
# from Debian, and the standard library by rustup.
set -eu

TARGET=aarch64-unknown-linux-gnu
ROOT=/usr/aarch64-linux-gnu

if ! command -v qemu-aarch64 >/dev/null || ! command -v aarch64-linux-gnu-gcc >/dev/null; then
    apt-get update -q
    apt-get install -q -y --no-install-recommends qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
fi
if ! ls "$(rustc --print target-libdir --target $TARGET)"/libstd-*.rlib >/dev/null 2>&1; then
    if ! command -v rustup >/dev/null; then
        echo "error: there is no standard library of Rust for $TARGET, and no rustup to add it" >&2
        exit 1
    fi
    rustup target add $TARGET
fi

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# A CPU is imitated some hundred times slower than it is: fewer cases of each property are as good as there is time for.
export PROPTEST_CASES="${PROPTEST_CASES:-4}"

# A test that reads the clock, which an emulator does not keep.
TIMED=no_product_is_faster_than_the_peak
# A test that takes longer than all others there, of what no level does in its own way.
LONG=tokens_that_documents_share_change_no_bit

# CPU ARGUMENTS...: runs tests on an imitated CPU.
tests() {
    cpu=$1
    shift
    echo "== ARM, $cpu: cargo test $*"
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -cpu $cpu -L $ROOT" \
        ${CARGO:-cargo} test --release --target $TARGET "$@"
}

# All levels: every kernel, and logits beside those of transformers.
tests max --package albertine-kernels -- --skip $TIMED
tests max --package albertine-model --lib --test golden -- --skip $LONG

# CPUs that have some of the levels: what they lack is neither found nor run.
for cpu in neoverse-n1 cortex-a53; do
    tests $cpu --package albertine-kernels --lib -- cpu:: precision:: rows:: whole_numbers no_rows nan_and_infinity
done

echo "skipped on ARM: $TIMED and all speed, because an emulator says nothing about it; $LONG; properties beyond $PROPTEST_CASES cases" \
    "(PROPTEST_CASES asks for more), and the tests of the other crates, for which it is too slow"
