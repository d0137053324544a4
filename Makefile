# `make check` is the inner loop, `make test` is everything. One profile and one target directory serve running and testing.

CARGO ?= cargo
PYTHON ?= python3
# Texts to measure on, which are not ours to publish: checks that need them run when the folder is there.
SHARED ?= ../shared

AG_NEWS := $(SHARED)/data/ag_news
SPIECE := $(SHARED)/data/albert_en/spiece.model
PARITY := target/parity
ORACLE := target/oracle
PY := .venv/bin/python

.PHONY: test check build format lint docs unit parity parity-base parity-pieces parity-spark-nlp accuracy clean

test: format build lint docs unit parity

check: format lint
	$(CARGO) test --release --workspace --lib --bins

format:
	$(CARGO) fmt --all --check

# First and alone, so that its last line tells what a newcomer's build takes.
build:
	$(CARGO) build --release

lint:
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --workspace --no-deps

unit:
	$(CARGO) test --release --workspace

# Against transformers and PyTorch, on real texts.
ifneq ($(wildcard $(AG_NEWS)/test.csv),)
parity: accuracy parity-pieces parity-base parity-spark-nlp
else
parity:
	@echo "skipped: accuracy and parity on real texts, because there is no $(AG_NEWS)"
endif

accuracy: build
	$(PYTHON) tools/parity/accuracy.py target/release/albertine $(AG_NEWS)/test.csv --at-least 0.90

parity-pieces: $(PARITY)/pieces.jsonl
	ALBERTINE_SPIECE=$(abspath $(SPIECE)) ALBERTINE_PIECES=$(abspath $<) \
		$(CARGO) test --release --workspace --test golden_pieces -- --nocapture

parity-base: $(PARITY)/albert-base/expected.json
	ALBERTINE_BASE_MODEL=$(abspath $(dir $<)) $(CARGO) test --release --workspace --test base -- --nocapture

# Sentences and tokens of every row, by real Spark NLP. It comes with Java 17 and Maven, from Debian where they are missing.
parity-spark-nlp: $(PARITY)/spark_nlp.jsonl
	ALBERTINE_SPARK_NLP=$(abspath $<) $(CARGO) test --release --workspace --test golden_spark_nlp -- --nocapture

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

$(PARITY)/albert-base/expected.json: tools/parity/base.py | .venv/ready
	mkdir -p $(PARITY)
	$(PY) tools/parity/base.py $(@D) $(AG_NEWS)/test.csv --make $(SPIECE)

.venv/ready: tools/golden/requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --requirement $<
	touch $@

clean:
	$(CARGO) clean
	rm -rf .venv
