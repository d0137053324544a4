# `make check` is the inner loop, `make test` is everything. One profile and one target directory serve running and testing.
#
# There are two builds of the command: the default one, and one with the SQL engine. `make check` and a plain `cargo` leave the SQL engine
# out, since DataFusion takes longer to compile than all the rest. `make test` covers both: these and the Python package ask dependencies for
# the same features (crates/features), so that only the command itself is compiled twice.

CARGO ?= cargo
PYTHON ?= python3
# Texts to measure on, which are not ours to publish: checks that need them run when the folder is there.
SHARED ?= ../shared

AG_NEWS := $(SHARED)/data/ag_news
SPIECE := $(SHARED)/data/albert_en/spiece.model
PARITY := target/parity
ORACLE := target/oracle
PY := .venv/bin/python
# What adds `albertine sql` to the command. Both packages at once, so that dependencies have the same features wherever they are compiled.
WITH_SQL := --package albertine-sql --package albertine-cli --features albertine-cli/sql
# An environment for each line of Spark. The workers of Spark need to be told which Python is theirs.
SPARK35 := .venv/spark35
SPARK4 := .venv/spark4
PYTHON_SOURCES := $(shell find python/src python/albertine crates/*/src crates/albertine/builtin -type f -not -name '*.so' -not -name '*.pyc') \
	python/Cargo.toml python/pyproject.toml Cargo.lock

# The jars for the JVM: the platform of this machine, a line of Scala each, and the sources.
JVM := target/jvm
PLATFORM := $(shell uname -s | tr A-Z a-z)-$(patsubst x86_64,amd64,$(shell uname -m))
JVM_SOURCES := $(shell find jvm examples/spark-submit -type f) $(shell find crates/*/src crates/albertine/builtin -type f) Cargo.lock
MVN := mvn --quiet --batch-mode --file jvm/pom.xml
CLASSPATHS := dependency:build-classpath@tests dependency:build-classpath@spark

# What is handed out, in target/dist: its tools, and what `make deny` looks at.
DIST := target/dist
DIST_BIN := $(abspath .venv/dist/bin)
WITH_DIST := PATH="$(DIST_BIN):$$PATH" CARGO="$(CARGO)"
DENY := bans licenses sources

.PHONY: test test-arm fuzz faults dist dist-check deny workflows check model build format lint lint-all licenses docs unit page clients python wheel jar jvm parity parity-base parity-pieces parity-spark-nlp accuracy clean

test: format licenses build lint-all docs unit page clients python jvm parity

check: format lint
	$(CARGO) test --release --lib --bins

format:
	$(CARGO) fmt --all --check

# First and alone, so that its last line tells what a newcomer's build takes.
build:
	$(CARGO) build --release

lint:
	$(CARGO) clippy --release --all-targets -- -D warnings
	$(CARGO) clippy --release --package albertine-python --package albertine-jvm --package albertine-cli --all-targets -- -D warnings

# With what `make check` leaves out.
lint-all: lint
	$(CARGO) clippy --release $(WITH_SQL) --all-targets -- -D warnings

# What the binaries contain that is not ours; `tools/licenses/make.py` makes it anew when Cargo.lock has changed.
licenses:
	$(PYTHON) tools/licenses/make.py --check

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --no-deps $(WITH_SQL)

# With SQL, those tests of the command again to which it makes a difference.
unit:
	$(CARGO) test --release
	$(CARGO) test --release --package albertine-jvm --package albertine-cli --lib
	$(CARGO) test --release $(WITH_SQL) --lib --test sql
	$(CARGO) test --release $(WITH_SQL) --doc
	$(CARGO) test --release $(WITH_SQL) --test command -- sql hub bench

# Kernels and golden logits at the levels of AArch64, under an emulator: too slow for `make test`.
test-arm:
	CARGO="$(CARGO)" tools/arm/test.sh

# Every fuzz target for a while, from the fixtures as seeds; it fails when one finds something. It needs a nightly toolchain and cargo-fuzz, and
# says so where they are missing. `make fuzz SECONDS_EACH=300 TARGETS="pattern source"` is for a longer search.
SECONDS_EACH := 30
TARGETS :=
fuzz:
	$(PYTHON) fuzz/run.py --seconds $(SECONDS_EACH) $(TARGETS)

# Runs that are killed, and all else that can fail around the command: docs/reliability.md has the outcomes. As root, or without a full disk.
RUNS := 20
faults: build
	$(PYTHON) tools/faults/kills.py target/release/albertine --model testdata/golden/gelu_new --kills $$((5 * $(RUNS)))
	$(PYTHON) tools/faults/faults.py target/release/albertine --runs $(RUNS)

# The command for any Linux with glibc 2.17, wheels and jars, for x86-64 and AArch64, with licenses, bills of materials and checksums. Rust for
# both comes by rustup where it is missing, Java 17 and Maven from Debian.
dist: .venv/dist/ready $(DIST_BIN)/cargo-cyclonedx
	(command -v javac && command -v mvn) >/dev/null || (apt-get update -q && apt-get install -q -y openjdk-17-jdk-headless maven)
	rm -rf $(DIST) $(DIST)-parts && mkdir -p $(DIST)
	for cpu in x86_64 aarch64; do \
		$(WITH_DIST) tools/dist/sbom.sh $$cpu && $(WITH_DIST) tools/dist/build.sh $$cpu || exit 1; \
	done
	tools/dist/jar.sh
	for cpu in x86_64 aarch64; do tools/dist/archive.sh $$cpu || exit 1; done
	cd $(DIST) && sha256sum * > SHA256SUMS && ls -l

# What `make dist` left, used in roots of Debian that have nothing else; as root, on x86-64.
dist-check:
	tools/dist/check.sh

# Licenses, versions and sources of all packages. Advisories need their database from GitHub: `make deny DENY=advisories`, in .github/workflows.
deny: $(DIST_BIN)/cargo-deny
	$(DIST_BIN)/cargo-deny check $(DENY)
	@$(if $(filter advisories,$(DENY)),,echo "skipped: advisories, whose database is on GitHub; make deny DENY=advisories asks it")

# The workflows of GitHub, by actionlint, which comes with Go.
workflows: $(DIST_BIN)/actionlint
	$(DIST_BIN)/actionlint

.venv/dist/ready: tools/dist/requirements.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	touch $@

# Not optimized, for they are compiled once and run for seconds.
$(DIST_BIN)/cargo-%:
	CARGO_PROFILE_DEV_DEBUG=0 $(CARGO) install --locked --debug --root .venv/dist --target-dir target/tools cargo-$*@$(VERSION_$*)
VERSION_cyclonedx := 0.5.9
VERSION_deny := 0.20.2

$(DIST_BIN)/actionlint:
	command -v go >/dev/null || (echo "error: actionlint is compiled by Go, which is not there: install Go 1.24 or newer" >&2; exit 1)
	GOBIN=$(DIST_BIN) go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# The page of `albertine serve`, driven in a real browser, which comes from Debian where it is missing.
page: build .venv/service/ready
	command -v chromium >/dev/null || (apt-get update -q && apt-get install -q -y chromium)
	.venv/service/bin/pytest -p no:cacheprovider crates/server/tests/page

# Clients of other services, requests made up from its own description, and bad ones. `make clients CASES=2000` makes up more.
CASES := 300
clients: build .venv/service/ready
	CASES=$(CASES) .venv/service/bin/pytest -p no:cacheprovider crates/server/tests/clients

.venv/service/ready: crates/server/tests/page/requirements.txt crates/server/tests/clients/requirements.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet $(addprefix --requirement ,$^)
	touch $@

# The package as `pip install ./python` builds it, in an environment for each line of Spark. Spark comes with Java 17, from Debian where
# it is missing.
python: $(SPARK35)/ready $(SPARK4)/ready
	command -v java >/dev/null || (apt-get update -q && apt-get install -q -y openjdk-17-jre-headless)
	$(SPARK4)/bin/mypy --strict --config-file python/pyproject.toml python/albertine python/tests/typing
	PYSPARK_PYTHON=$(abspath $(SPARK35))/bin/python $(SPARK35)/bin/pytest python/tests --doctest-modules --pyargs albertine
	PYSPARK_PYTHON=$(abspath $(SPARK4))/bin/python $(SPARK4)/bin/pytest python/tests --doctest-modules --pyargs albertine
	PYSPARK_PYTHON=$(abspath $(SPARK4))/bin/python $(SPARK4)/bin/python python/tests/run_notebook.py examples/ag_news.ipynb target/python

wheel: target/python/ready

target/python/ready: $(PYTHON_SOURCES)
	rm -rf $(@D) && mkdir -p $(@D)
	CARGO_TARGET_DIR=$(abspath target) $(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir $(@D) ./python
	touch $@

.venv/%/ready: target/python/ready python/tests/%.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement python/tests/$*.txt
	$(@D)/bin/pip install --quiet --no-deps --force-reinstall target/python/albertine-*.whl
	touch $@

# The jars for Java, Scala and Spark, a line of Scala each, in target/jvm. The native library is built with the command, so that both ask
# dependencies for the same features and none is compiled twice. Java 17 and Maven come from Debian where they are missing. Sources and their
# documentation are the same for both lines.
jar: $(JVM)/ready

$(JVM)/ready: $(JVM_SOURCES)
	(command -v javac && command -v mvn) >/dev/null || (apt-get update -q && apt-get install -q -y openjdk-17-jdk-headless maven)
	$(CARGO) build --release --package albertine-jvm --package albertine-cli
	install -D target/release/libalbertine_jvm.so $(JVM)/resources/albertine/native/$(PLATFORM)/libalbertine_jvm.so
	$(MVN) --activate-profiles scala-2.12 package $(CLASSPATHS)
	$(MVN) --activate-profiles scala-2.13,documents package $(CLASSPATHS)
	cp $(JVM)/2.12/albertine-spark_2.12-*.jar $(JVM)/2.13/albertine-spark_2.13-*.jar $(JVM)
	for file in $(JVM)/albertine-spark_2.13-*-*.jar; do cp $$file $$(echo $$file | sed s/_2.13-/_2.12-/) || exit 1; done
	touch $@

# Their tests: 2.12 in Spark 3.5, 2.13 in Spark 4 and, unchanged, in Spark 3.5; what no line changes, in the first alone.
jvm: jar $(SPARK35)/ready $(SPARK4)/ready
	ALBERTINE_TEST_PYTHON=$(SPARK35)/bin/python jvm/test.sh 2.12 "$$($(SPARK35)/bin/python -c 'import pyspark; print(pyspark.__path__[0])')"
	ALBERTINE_TEST_PYTHON=$(SPARK4)/bin/python jvm/test.sh 2.13 "$$($(SPARK4)/bin/python -c 'import pyspark; print(pyspark.__path__[0])')" \
		-l albertine.Once
	jvm/test.sh 2.13 $(JVM)/2.13/spark.classpath -s albertine.TableSuite

# Against transformers and PyTorch, on real texts.
ifneq ($(wildcard $(AG_NEWS)/test.csv),)
parity: accuracy parity-pieces parity-base parity-spark-nlp
else
parity:
	@echo "skipped: accuracy and parity on real texts, because there is no $(AG_NEWS)"
endif

accuracy: build
	$(PYTHON) tools/parity/accuracy.py target/release/albertine $(AG_NEWS)/test.csv --at-least 0.92

parity-pieces: $(PARITY)/pieces.jsonl $(PARITY)/wordpiece/vocab.txt
	ALBERTINE_SPIECE=$(abspath $(SPIECE)) ALBERTINE_PIECES=$(abspath $<) ALBERTINE_WORDPIECE=$(abspath $(PARITY))/wordpiece \
		$(CARGO) test --release --test golden_pieces --test golden_wordpiece -- --nocapture

parity-base: $(PARITY)/albert-base/expected.json
	ALBERTINE_BASE_MODEL=$(abspath $(dir $<)) $(CARGO) test --release --test base -- --nocapture

# Sentences and tokens of every row, by real Spark NLP. It comes with Java 17 and Maven, from Debian where they are missing.
parity-spark-nlp: $(PARITY)/spark_nlp.jsonl
	ALBERTINE_SPARK_NLP=$(abspath $<) $(CARGO) test --release --test golden_spark_nlp -- --nocapture

$(PARITY)/spark_nlp.jsonl: tools/oracle/annotators.py tools/oracle/session.py
	mkdir -p $(PARITY)
	(command -v java && command -v mvn) >/dev/null || (apt-get update -q && apt-get install -q -y openjdk-17-jre-headless maven)
	tools/oracle/setup.sh $(ORACLE)
	$(ORACLE)/venv/bin/python tools/oracle/annotators.py --csv $(AG_NEWS)/test.csv --text-column text $@.part
	mv $@.part $@

$(PARITY)/pieces.jsonl: tools/golden_pieces/make.py tools/golden_pieces/strings.py | .venv/ready
	mkdir -p $(PARITY)
	$(PY) tools/golden_pieces/make.py --spiece $(SPIECE) --count 10000 \
		--csv $(AG_NEWS)/train.csv $(AG_NEWS)/train_untitled.csv $(AG_NEWS)/test.csv --out $@.part
	mv $@.part $@

# The vocabulary is written last.
$(PARITY)/wordpiece/vocab.txt: tools/golden_pieces/wordpiece.py tools/golden_pieces/make.py tools/golden_pieces/strings.py | .venv/ready
	$(PY) tools/golden_pieces/wordpiece.py --count 10000 \
		--csv $(AG_NEWS)/train.csv $(AG_NEWS)/train_untitled.csv $(AG_NEWS)/test.csv --out $(@D)

$(PARITY)/albert-base/expected.json: tools/parity/base.py | .venv/ready
	mkdir -p $(PARITY)
	$(PY) tools/parity/base.py $(@D) $(AG_NEWS)/test.csv --make $(SPIECE)

.venv/ready: tools/golden/requirements.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --requirement $<
	touch $@

# The built-in model: `make model DATA=folder`, with the three AG News files that `tools/builtin_model/README.md` describes. It takes hours, goes
# on where it was interrupted, and leaves the model in build/ag_news; `make clean` does not touch that folder. `PRECISION=bf16` is faster where
# the CPU multiplies bfloat16.
PRECISION ?= f32
model: build .venv/model/ready
	test -n "$(DATA)" || (echo "error: which folder has the data? make model DATA=folder" >&2; exit 2)
	.venv/model/bin/python tools/builtin_model/make.py --data $(DATA) --albertine target/release/albertine --precision $(PRECISION) \
		--work build/work --out build/ag_news
	.venv/model/bin/python tools/builtin_model/evaluate.py --data $(DATA) --albertine target/release/albertine --model build/ag_news

# What is installed without its dependencies would bring another training stack.
.venv/model/ready: tools/builtin_model/requirements.txt tools/builtin_model/packages.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement tools/builtin_model/requirements.txt
	$(@D)/bin/pip install --quiet --no-deps --requirement tools/builtin_model/packages.txt
	touch $@

clean:
	$(CARGO) clean
	rm -rf .venv
