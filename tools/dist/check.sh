#!/bin/sh
# What `make dist` left in target/dist labels a headline where nothing else is: the command in a bare Debian, the wheel
# and the jars in one with Python and a JRE, without a network; and for AArch64 under an emulator, with what a Debian for
# it has.
set -eu
cd "$(dirname "$0")/../.."
dist=$PWD/target/dist
roots=$PWD/target/dist-check
headline="Stocks fell on Wall Street as oil prices rose to a record"
packages="default-jdk-headless mmdebstrap debian-archive-keyring qemu-user binutils unzip util-linux"

fail() { echo "error: $*" >&2; exit 1; }

[ "$(uname -sm)" = "Linux x86_64" ] || fail "the roots can be entered on Linux on x86-64 alone: this is $(uname -sm)"
[ "$(id -u)" = 0 ] || fail "only root can enter another root: run it with sudo"
[ -f "$dist/SHA256SUMS" ] || fail "$dist has nothing to check: run make dist"
for command in javac mmdebstrap qemu-aarch64 objdump unzip unshare; do
    # shellcheck disable=SC2086
    command -v $command >/dev/null \
        || { apt-get update -q && apt-get install -q -y --no-install-recommends $packages; break; }
done

# ROOT COMMAND...: runs it in a root, without a network.
inside() {
    root=$roots/$1
    shift
    unshare --mount --net --pid --fork --mount-proc="$root/proc" chroot "$root" env -i PATH=/usr/bin:/bin HOME=/root "$@"
}

# ROOT OPTIONS...: makes a root of Debian, unless it is there; `rm -r target/dist-check` has all made anew.
debian() {
    root=$roots/$1
    shift
    [ -f "$root.done" ] && return
    rm -rf "$root"
    mkdir -p "$roots"
    mmdebstrap --quiet "$@" bookworm "$root"
    touch "$root.done"
}

# WHAT COMMAND...: the label that the command prints must be the headline's.
labels() {
    what=$1
    shift
    found=$("$@") || fail "$what failed"
    case $found in
        *Business*) echo "ok: $what: $found" ;;
        *) fail "$what labels the headline as $found" ;;
    esac
}

(cd "$dist" && sha256sum --quiet --check SHA256SUMS) && echo "ok: checksums"

debian bare --variant=essential
debian more --variant=apt --include=python3,python3-pip,openjdk-17-jre-headless
debian aarch64 --variant=extract --architectures=arm64 \
    --include=python3-minimal,libpython3-stdlib,openjdk-17-jre-headless

# Not a byte of what an earlier check left.
for root in bare more aarch64; do
    rm -rf "$roots/$root/check" && mkdir "$roots/$root/check" && cp "$dist"/* "$roots/$root/check"
done
javac -Xlint:-options --release 8 -d "$roots/more/check" -cp "$(echo "$dist"/albertine-spark_2.12-*.jar)" tools/dist/Headline.java

# FILE: what it asks of glibc is in 2.17, of 2012.
old() {
    newest=$(objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
    [ "$(printf '%s\n' GLIBC_2.17 "$newest" | sort -V | tail -1)" = GLIBC_2.17 ] || fail "${1##*/} needs $newest"
    echo "ok: ${1#"$roots/"}: $newest"
}

inside bare sh -c 'tar -xzf /check/albertine-*-linux-x86_64.tar.gz -C /usr/local --strip-components=1'
labels "the command" inside bare /usr/local/bin/albertine classify "$headline"
old "$roots/bare/usr/local/bin/albertine"

inside more sh -c 'pip install --quiet --no-index --break-system-packages --root-user-action ignore --force-reinstall \
    /check/albertine-*x86_64.whl'
labels "the wheel" inside more python3 -c 'import albertine, sys; print(albertine.classify(sys.argv[1]).label)' "$headline"
for line in 2.12 2.13; do
    jar=$(basename "$dist"/albertine-spark_$line-*.jar)
    labels "the jar of Scala $line" inside more java -cp "/check:/check/$jar" Headline "$headline"
done

arm=$roots/aarch64
tar -xzf "$arm"/check/albertine-*-linux-aarch64.tar.gz -C "$arm/check" --strip-components=1
python3 -m zipfile -e "$arm"/check/albertine-*aarch64.whl "$arm/check/wheel"
labels "the command on AArch64" qemu-aarch64 -L "$arm" "$arm/check/bin/albertine" classify "$headline"
labels "the wheel on AArch64" env PYTHONPATH="$arm/check/wheel" qemu-aarch64 -L "$arm" "$arm/usr/bin/python3" -c \
    'import albertine, platform, sys; print(albertine.classify(sys.argv[1]).label, platform.machine())' "$headline"
labels "the jar on AArch64" qemu-aarch64 -L "$arm" "$arm/usr/lib/jvm/java-17-openjdk-arm64/bin/java" \
    -cp "$roots/more/check:$(echo "$arm"/check/albertine-spark_2.12-*.jar)" Headline "$headline"
old "$arm/check/bin/albertine"

for cpu in amd64 aarch64; do
    unzip -q -o "$(echo "$dist"/albertine-spark_2.12-*.jar)" "albertine/native/linux-$cpu/*.so" -d "$roots/jar"
    old "$roots/jar/albertine/native/linux-$cpu/libalbertine_jvm.so"
done
for wheel in "$dist"/*.whl; do
    .venv/dist/bin/auditwheel show "$wheel" | tr '\n' ' ' | grep -q 'consistent with the following platform tag: "manylinux_2_17_' \
        || fail "auditwheel finds that ${wheel##*/} is not manylinux_2_17"
    echo "ok: ${wheel##*/}: manylinux_2_17"
done
