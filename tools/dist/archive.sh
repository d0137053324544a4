#!/bin/sh
# The archive of the command for one kind of processor, to be unpacked into a prefix such as /usr/local:
# archive.sh x86_64|aarch64
set -eu
cd "$(dirname "$0")/../.."
parts=target/dist-parts
name=albertine-$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)-linux-$1
root=$parts/$name
# what runs here says what is the same for both kinds of processors
here=target/$(uname -m)-unknown-linux-gnu/release

rm -rf "$root"
install -D -t "$root/bin" "target/$1-unknown-linux-gnu/release/albertine"
install -D -m 644 -t "$root/share/doc/albertine" LICENSE docs/third-party-licenses.md
install -m 644 "$parts/sbom/$1/albertine-cli.cdx.json" "$root/share/doc/albertine/albertine.cdx.json"
for file in bash-completion/completions/albertine zsh/site-functions/_albertine fish/vendor_completions.d/albertine.fish; do
    mkdir -p "$root/share/${file%/*}"
    shell=${file%%/*}
    "$here/albertine" completions "${shell%-completion}" > "$root/share/$file"
done
"$here/albertine-man" "$root/share/man/man1"

tar --sort=name --mtime="@$(git log -1 --format=%ct)" --owner=0 --group=0 --numeric-owner \
    -C "$parts" -czf "target/dist/$name.tar.gz" "$name"
