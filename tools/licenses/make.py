"""Makes docs/third-party-licenses.md: what the command, the Python package and the jar contain that is not ours, and its licenses.

usage: make.py [--check]

With --check nothing is written, and a file that is out of date is an error. Only the standard library is needed; the texts
come from the packages' own folders, where `cargo` has put them. A package that may be used under Apache-2.0 is, so that
one copy of that text is enough; every other text is printed once, with the packages that carry it.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "docs" / "third-party-licenses.md"
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
BINARIES = ("albertine-cli", "albertine-jvm", "albertine-python")
APACHE = {"Apache-2.0"}

# C libraries within packages whose own license speaks of the Rust code alone: the library, its license, its text.
WITHIN = {"zstd-sys": ("Zstandard (in C)", "BSD-3-Clause", "zstd/LICENSE")}

HEAD = """# Third-party licenses

Made by `tools/licenses/make.py` from `Cargo.lock`; `make licenses` says when it is out of date.

The `albertine` command (with and without the cargo feature `sql`) and the native halves of the Python package and of the jar, for Linux on
x86-64 and AArch64, contain these packages. Where a choice is offered and Apache-2.0 is among it, they are used under Apache-2.0.
So is Rust's standard library, which they contain too. Releases also contain `libunwind` and `compiler-rt` of LLVM, whose license, Apache-2.0 with the LLVM
exception, asks for nothing in what a compiler links.

| package | version | license |
| --- | --- | --- |
"""


def metadata() -> dict:
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--features", "albertine-cli/sql"]
    for platform in PLATFORMS:
        command += ["--filter-platform", platform]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def contained(data: dict) -> list[dict]:
    """The foreign packages that end up in a binary: no build scripts, no derives, no tests."""
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    waiting = [id for id, package in packages.items() if package["name"] in BINARIES]
    assert len(waiting) == len(BINARIES), "a binary of ours has another name now"
    found = set()
    while waiting:
        id = waiting.pop()
        derives = any("proc-macro" in target["kind"] for target in packages[id]["targets"])
        if id in found or derives:
            continue
        found.add(id)
        for dep in nodes[id]["deps"]:
            if any(kind["kind"] is None for kind in dep["dep_kinds"]):
                waiting.append(dep["pkg"])
    foreign = [packages[id] for id in found if packages[id]["source"]]
    version = lambda package: [int(number) for number in re.findall(r"\d+", package["version"])]
    return sorted(foreign, key=lambda package: (package["name"], version(package)))


def alternatives(expression: str) -> list[set[str]]:
    """The sets of licenses that an SPDX expression leaves a choice of."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either() -> list[set[str]]:
        options = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            options = options + both()
        return options

    def both() -> list[set[str]]:
        options = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            other = one()
            options = [left | right for left in options for right in other]
        return options

    def one() -> list[set[str]]:
        token = tokens.pop(0)
        if token == "(":
            options = either()
            assert tokens.pop(0) == ")", expression
            return options
        if tokens and tokens[0] == "WITH":
            token = " ".join([token, tokens.pop(0), tokens.pop(0)])
        return [{token}]

    options = either()
    assert not tokens, expression
    return options


def texts(folder: pathlib.Path) -> list[str]:
    """The license texts of a package, of every license but Apache-2.0."""
    names = re.compile(r"(license|licence|copying|copyright|notice)", re.IGNORECASE)
    files = (path for path in folder.iterdir() if path.is_file() and names.match(path.name) and path.suffix != ".rs")
    return [text for text in map(tidy, sorted(files)) if "Apache License" not in text[:200]]


def tidy(path: pathlib.Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line.rstrip().replace("\t", "    ") for line in lines).strip("\n")


def page(packages: list[dict]) -> str:
    rows, groups, apache = [], {}, None
    for package in packages:
        folder = pathlib.Path(package["manifest_path"]).parent
        name, version, expression = package["name"], package["version"], package["license"]
        assert expression, f"{name} {version} does not say its license"
        rows.append(f"| {name} | {version} | {expression} |")
        whole = (text for text in map(tidy, folder.glob("LICENSE-APACHE*")) if "APPENDIX" in text)
        apache = apache or next(whole, None)
        notice = [tidy(path) for path in folder.glob("NOTICE*")]
        own = notice if APACHE in alternatives(expression) else texts(folder)
        if not own and APACHE not in alternatives(expression):
            own = [f"(The package carries no text of its own; its license is {expression}.)"]
        for text in own:
            groups.setdefault(text, []).append(f"{name} {version}")
        if name in WITHIN:
            library, license, text = WITHIN[name]
            rows.append(f"| {library}, within {name} | {version} | {license} |")
            groups.setdefault(tidy(folder / text), []).append(f"{library}, within {name} {version}")
    assert apache, "no package carries the text of Apache-2.0"
    parts = [HEAD + "\n".join(rows) + "\n", "## Apache-2.0\n\n" + fenced(apache)]
    for text, names in sorted(groups.items(), key=lambda group: group[1]):
        parts.append("## " + ", ".join(names) + "\n\n" + fenced(text))
    return "\n".join(parts)


def fenced(text: str) -> str:
    return f"```text\n{text}\n```\n"


def main() -> None:
    made = page(contained(metadata()))
    if sys.argv[1:] == ["--check"]:
        if not OUTPUT.is_file() or OUTPUT.read_text(encoding="utf-8") != made:
            sys.exit(f"{OUTPUT.relative_to(ROOT)} is out of date: run tools/licenses/make.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        OUTPUT.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
