//! `albertine serve`: its help, and what it refuses before it listens. The service itself is tested in `crates/server`.

use crate::support::{Sandbox, assert_conversation};

#[test]
fn help_of_serve() {
    let said = Sandbox::new().run(&["serve", "--help"]);
    // The blanks that the help puts into empty lines say nothing.
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    assert_conversation!(said.join("\n"), @r#"
    exit code: 0
    ----- stdout -----
    Serve models over HTTP, with a page to try them

    Usage: albertine serve [OPTIONS]

    Options:
          --quiet
              Print nothing but errors to standard error

          --offline
              Disable network access: use only models that are on this machine

      -h, --help
              Print help (see a summary with '-h')

    Model:
          --model <[NAME=]MODEL>
              Model to serve, with a name for requests; may be repeated, and the first answers requests
              that name none

              [default: ag_news]

          --precision <PRECISION>
              Numeric precision of the encoder

              Possible values:
              - f32:  32-bit floating point: exact
              - bf16: bfloat16 matrix products, on CPUs that support them
              - int8: 8-bit integer matrix products

              [default: f32]

          --max-sentence-length <N>
              Maximum sequence length in subword pieces, `[CLS]` and `[SEP]` included; longer texts are
              truncated and counted [default: the model's limit]

          --encoding <ENCODING>
              How texts are split into pieces [default: token for a model saved by Spark NLP, otherwise
              document]

              Possible values:
              - document: The whole text at once, as models are trained
              - token:    Each token separately, as Spark NLP does it

          --windows[=<N>]
              Instead of truncating long texts, read them in windows that overlap by N pieces, and
              average the windows [N: 32 if omitted]

          --case-sensitive[=<BOOL>]
              Distinguish upper and lower case [default: as the model was trained]

              [possible values: true, false]

          --threads <N>
              Number of threads, at most 1024 [default: all cores]

          --batch-tokens <N>
              Batch size of a thread, in pieces [default: chosen for the CPU's caches]

    Service:
          --host <IP>
              Address to listen on; 0.0.0.0 is all of this machine's

              [env: ALBERTINE_HOST=]
              [default: 127.0.0.1]

          --port <N>
              Port to listen on; 0 is any free one

              [env: ALBERTINE_PORT=]
              [default: 8080]

          --tls-certificate <PATH>
              Certificate chain in PEM format, to serve HTTPS

          --tls-key <PATH>
              Private key of the certificate in PEM format

          --cors-origin <ORIGIN>
              Origin whose pages may call the service from a browser, such as https://example.org, or *;
              may be repeated [default: none]

          --corrections <PATH>
              CSV file to append the corrections to that people make on the page, for `albertine train`
              [default: the page keeps them in the browser]

          --no-page
              Do not serve the page

          --no-truncate
              Refuse texts that are too long where a request does not ask for them to be truncated

          --log-format <FORMAT>
              Format of the log on standard error; it never contains a text

              Possible values:
              - text: Lines for people
              - json: One JSON object a line

              [default: text]

    Limits:
          --max-body <N>
              Maximum size of a request's body, and of a text in a file, in bytes

              [default: 8388608]

          --max-file <N>
              Maximum size of a file that is sent to be labeled, packed and unpacked, in bytes

              [default: 268435456]

          --max-texts <N>
              Maximum number of texts in a request

              [default: 100000]

          --max-concurrent-requests <N>
              Maximum number of requests at a time; more get status 429

              [default: 512]

          --max-connections <N>
              Maximum number of connections at a time; more wait to be accepted

              [default: 4096]

          --max-batch-tokens <N>
              Maximum number of tokens in a batch, a single text aside

              [default: 4096]

          --max-batch-time <SECONDS>
              Maximum time of a batch, in seconds, as estimated from its model's speed, two texts for
              each thread aside: so long a request may wait for those before it

              [default: 0.1]

          --max-queue-tokens <N>
              Maximum number of tokens in the queue before requests get status 429

              [default: 4194304]

          --max-wait <SECONDS>
              Maximum time in the queue, in seconds, as estimated when a request arrives; it gets status
              429 if it would wait longer

              [default: 10]

          --timeout <SECONDS>
              Maximum time of a request from the arrival of its body to its answer, in seconds

              [default: 120]

          --idle-timeout <SECONDS>
              Maximum time that a client may be silent while it sends or reads, in seconds

              [default: 30]

          --shutdown-timeout <SECONDS>
              Maximum time to finish accepted requests after SIGTERM, in seconds

              [default: 30]

          --max-model-memory <MB>
              Maximum memory of loaded models, in MB; the least recently used is unloaded first
              [default: no limit]

    The address that is printed opens a page to try the models. Programs use the routes of Hugging Face
    inference (POST /), text-embeddings-inference (POST /predict), vLLM (POST /v1/classify), the Open
    Inference Protocol (POST /v2/models/NAME/infer) or Albertine's own (POST /v1/annotate); GET
    /openapi.json describes them all, GET /metrics is for Prometheus. SIGTERM and Ctrl-C answer what was
    accepted before the service ends; a second one ends it at once. The environment variable
    ALBERTINE_API_KEY sets a key that requests must carry, ALBERTINE_LOG the level of the log (error,
    warn, info, debug).

    Examples:
      albertine serve
      albertine serve --model news=./my-model --model ag_news --precision int8
      albertine serve --host 0.0.0.0 --port 443 --tls-certificate server.pem --tls-key server.key
      --log-format json
      curl -s localhost:8080/v1/annotate -d '{"texts": ["Oil prices rose on Monday"]}'
    ----- stderr -----
    "#);
}

#[test]
fn numbers_out_of_range_are_told_with_the_range() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["serve", "--port", "65536"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '65536' for '--port <N>': 65536 is not in 0..=65535

    For more information, try '--help'.
    ");
    assert_conversation!(sandbox.run(&["serve", "--max-body", "0"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '0' for '--max-body <N>': not a whole number of at least 1

    For more information, try '--help'.
    ");
    assert_conversation!(sandbox.run(&["serve", "--timeout=-1"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '-1' for '--timeout <SECONDS>': not a number of seconds above 0 and up to 86400

    For more information, try '--help'.
    ");
    assert_conversation!(sandbox.run(&["serve", "--idle-timeout", "forever"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'forever' for '--idle-timeout <SECONDS>': not a number of seconds above 0 and up to 86400

    For more information, try '--help'.
    ");
    assert_conversation!(sandbox.run(&["serve", "--max-model-memory", "0"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value '0' for '--max-model-memory <MB>': 0 is not in 1..=1000000000

    For more information, try '--help'.
    ");
    assert_conversation!(sandbox.run(&["serve", "--host", "localhost"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'localhost' for '--host <IP>': invalid IP address syntax

    For more information, try '--help'.
    ");
}

#[test]
fn a_flag_that_there_is_not_is_told_with_the_one_that_was_meant() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["serve", "--max-text", "10"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: unexpected argument '--max-text' found

      tip: a similar argument exists: '--max-texts'

    Usage: albertine serve --max-texts <N>

    For more information, try '--help'.
    ");
    assert_conversation!(sandbox.run(&["serve", "8080"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: unexpected argument '8080' found

    Usage: albertine serve [OPTIONS]

    For more information, try '--help'.
    ");
    assert_conversation!(sandbox.run(&["serve", "--log-format", "xml"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'xml' for '--log-format <FORMAT>'
      [possible values: text, json]

    For more information, try '--help'.
    ");
}

#[test]
fn a_certificate_needs_its_key() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["serve", "--tls-certificate", "server.pem"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the following required arguments were not provided:
      --tls-key <PATH>

    Usage: albertine serve --tls-certificate <PATH> --tls-key <PATH>

    For more information, try '--help'.
    ");
    sandbox.file("server.pem", "no certificate").file("server.key", "no key");
    let missing = ["serve", "--tls-certificate", "missing.pem", "--tls-key", "server.key"];
    assert_conversation!(sandbox.run(&missing), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot use missing.pem: I/O error: No such file or directory (os error 2)
    ");
    let empty = ["serve", "--tls-certificate", "server.pem", "--tls-key", "server.key"];
    assert_conversation!(sandbox.run(&empty), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot use server.pem: it holds no certificate
    ");
}

#[test]
fn models_are_resolved_before_it_listens() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["serve", "--offline", "--model", "news=./missing"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ./missing is not a model directory: nothing is there
    hint: a model directory contains config.json, model.safetensors, and tokenizer.json, spiece.model or vocab.txt
    ");
    assert_conversation!(sandbox.run(&["serve", "--offline", "--model", "=ag_news"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `=ag_news` is not NAME=MODEL
    hint: write it as in `--model news=./my-model`
    ");
    assert_conversation!(sandbox.run(&["serve", "--model", "ag_news", "--model", "ag_news"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: two models are called `ag_news`
    ");
}

#[test]
fn settings_that_cannot_work_are_told() {
    let sandbox = Sandbox::new();
    assert_conversation!(sandbox.run(&["serve", "--cors-origin", "example.org"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: `example.org` is not an origin such as https://example.org
    ");
    assert_conversation!(sandbox.run(&["serve", "--corrections", "no/such/folder.csv"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot write no/such/folder.csv: No such file or directory (os error 2)
    ");
    let with = |variable: &str, value: &str| {
        let output = sandbox.command(&["serve"]).env(variable, value).output().expect("the binary starts");
        crate::support::conversation(&output)
    };
    assert_conversation!(with("ALBERTINE_API_KEY", " "), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ALBERTINE_API_KEY is empty or not UTF-8
    hint: set it to a key, or unset it to serve without one
    ");
    assert_conversation!(with("ALBERTINE_LOG", "loud"), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: ALBERTINE_LOG is `loud`, which is none of off, error, warn, info, debug and trace
    ");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let said = Sandbox::new().run(&["serve", "--port", &port]).replace(&port, "[PORT]");
    assert_conversation!(said, @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: cannot listen on 127.0.0.1:[PORT]: Address already in use (os error 98)
    ");
}
