//! What no client sends by mistake, and what some do: the service answers in JSON where anyone could read it, and goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use albertine_server::{Ended, Limits, ServerSettings};
use serde_json::{Value, json};
use support::{Service, settings};

/// The answers in bytes: each with its status, its headers and its JSON.
fn answers(mut bytes: &str) -> Vec<(u16, String, Value)> {
    let mut answers = Vec::new();
    while let Some((head, rest)) = bytes.split_once("\r\n\r\n") {
        let status = head.strip_prefix("HTTP/1.1 ").or(head.strip_prefix("HTTP/1.0 ")).unwrap()[..3].parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let (body, rest) = rest.split_at(length.map_or(0, |length| length.parse().unwrap()));
        answers.push((status, head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null)));
        bytes = rest;
    }
    assert_eq!(bytes, "", "something is behind the answers");
    answers
}

/// Fails unless an answer is an error with this status that can be found in the log and says what to do.
fn assert_error((status, head, body): &(u16, String, Value), expected: u16, what: &str) {
    assert_eq!(*status, expected, "{what}: {head} {body}");
    let text = |key: &str| body[key].as_str().unwrap_or_else(|| panic!("{what}: no `{key}` in {body}"));
    assert!(!text("error").is_empty() && !text("error_type").is_empty() && !text("hint").is_empty(), "{what}: {body}");
    assert!(head.contains(&format!("x-request-id: {}", text("request_id"))), "{what}: {head}");
    assert!(head.contains("content-type: application/json"), "{what}: {head}");
}

fn start(limits: Limits) -> Service {
    Service::start(ServerSettings { limits, ..settings() })
}

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn heads_that_are_none_are_answered_in_json() {
    let service = start(Limits { idle: SHORT, ..Limits::default() });
    let get = |headers: &str| format!("GET /health HTTP/1.1\r\nhost: a\r\n{headers}\r\n").into_bytes();
    let post = |headers: &str, body: &str| format!("POST / HTTP/1.1\r\nhost: a\r\n{headers}\r\n{body}").into_bytes();
    let flood: String = (0..200).map(|header| format!("x-{header}: y\r\n")).collect();
    for (what, bytes, status) in [
        ("a TLS handshake", b"\x16\x03\x01\x02\0\x01\0".to_vec(), 400),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400),
        ("HTTP/0.9", b"GET /health\r\n\r\n".to_vec(), 400),
        ("no words", b"\r\n\r\n\0\0\0\0\r\n\r\n".to_vec(), 400),
        ("a NUL in the path", b"GET /he\0alth HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(), 400),
        ("no host", b"GET /health HTTP/1.1\r\n\r\n".to_vec(), 400),
        ("two hosts", get("host: b\r\n"), 400),
        ("200 headers", get(&flood), 431),
        ("a header of 3 MB", get(&format!("x: {}\r\n", "y".repeat(3 << 20))), 431),
        ("a path of 64 KiB", format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(65_535)).into_bytes(), 414),
        ("a path of 3 MB", format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(3 << 20)).into_bytes(), 431),
        ("a header without a colon", get("x\r\n"), 400),
        ("a header over two lines", get("x: a\r\n b\r\n"), 400),
        ("a carriage return for a line end", b"GET /health HTTP/1.1\rhost: a\r\r".to_vec(), 400),
        ("a space before a colon", post("transfer-encoding : chunked\r\n", "0\r\n\r\n"), 400),
        ("two lengths", post("content-length: 3\r\ncontent-length: 4\r\n", "abcd"), 400),
        ("a list of lengths", post("content-length: 3, 4\r\n", "abcd"), 400),
        ("a length with a sign", post("content-length: +3\r\n", "abcd"), 400),
        ("a length that is none", post("content-length: three\r\n", "abcd"), 400),
        ("a length beyond all", post("content-length: 99999999999999999999\r\n", "abcd"), 400),
        ("another transfer encoding", post("transfer-encoding: identity\r\n", "0\r\n\r\n"), 400),
        ("two transfer encodings", post("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"), 400),
        ("an encoding that ends in chunked", post("transfer-encoding: xchunked\r\n", "0\r\n\r\n"), 400),
        ("a head that ends early", b"GET /hea".to_vec(), 408),
        ("a body that ends early", post("content-length: 10\r\n", "{"), 408),
        ("a chunk without a size", post("transfer-encoding: chunked\r\n", "ZZ\r\n\r\n"), 400),
        ("a chunk of all memory", post("transfer-encoding: chunked\r\n", "ffffffffffffffffff\r\n"), 400),
        ("a line end in a chunk's extension", post("transfer-encoding: chunked\r\n", "1;a\nb\r\na\r\n0\r\n\r\n"), 400),
    ] {
        let found = service.raw(&bytes);
        match &answers(&found)[..] {
            [answer] => assert_error(answer, status, what),
            several => panic!("{what}: {} answers: {found}", several.len()),
        }
    }
    // who has asked for nothing is told nothing
    assert_eq!(service.raw(b""), "");
    assert_eq!(service.get("/health").0, 200);
}

#[test]
fn no_request_hides_behind_another() {
    let service = start(Limits { idle: SHORT, ..Limits::default() });
    let hidden = "GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n";
    for (what, headers, body) in [
        ("chunks and a length", "content-length: 4\r\ntransfer-encoding: chunked\r\n", format!("0\r\n\r\n{hidden}")),
        ("a length and chunks", "transfer-encoding: chunked\r\ncontent-length: 4\r\n", format!("0\r\n\r\n{hidden}")),
        ("two lengths", "content-length: 0\r\ncontent-length: 40\r\n", hidden.to_owned()),
        ("chunks that are none", "transfer-encoding: xchunked\r\n", format!("0\r\n\r\n{hidden}")),
        ("a length over two lines", "content-length:\r\n 0\r\n", hidden.to_owned()),
        ("a chunk that goes on", "transfer-encoding: chunked\r\n", format!("1\r\naXX0\r\n\r\n{hidden}")),
    ] {
        let found = answers(&service.raw(format!("POST / HTTP/1.1\r\nhost: a\r\n{headers}\r\n{body}").as_bytes()));
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert_error(&found[0], 400, what);
    }
    // one that is there to be seen is answered, and what is no request behind it as well
    let three = format!("{hidden}{hidden}\x01\r\n\r\n");
    let found = answers(&service.raw(three.as_bytes()));
    assert_eq!(found.iter().map(|answer| answer.0).collect::<Vec<_>>(), [200, 200, 400]);
    assert_error(&found[2], 400, "the last one");
}

/// A connection over which a request has begun.
fn begun(service: &Service, start: &str) -> TcpStream {
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(start.as_bytes()).unwrap();
    stream
}

/// The rest of what the service sends.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // a connection that is cut has ended as well
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn who_sends_a_byte_now_and_then_is_refused() {
    let service = start(Limits { idle: SHORT, ..Limits::default() });
    for (what, head) in [
        ("head", "POST / HTTP/1.1\r\nhost: a\r\nx: "),
        ("body", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n"),
        ("file", "POST /v1/files?name=a.csv HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n"),
    ] {
        let started = Instant::now();
        let mut stream = begun(&service, head);
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut first = [0; 9];
        let answer = loop {
            // it may be cut while this writes
            let _ = stream.write_all(b"x");
            match stream.read(&mut first) {
                Ok(count) => break String::from_utf8_lossy(&first[..count]).into_owned() + &rest(stream),
                Err(_) => assert!(started.elapsed() < Duration::from_secs(10), "{what}: never refused"),
            }
        };
        assert_error(&answers(&answer)[0], 408, what);
    }
}

#[test]
fn who_sends_steadily_has_more_than_the_time_of_a_request() {
    let limits = Limits { timeout: Duration::from_millis(500), idle: Duration::from_secs(2), ..Limits::default() };
    let service = start(limits);
    let body = json!({"inputs": "oil ".repeat(1000)}).to_string();
    for (path, text, status) in [("/", &*body, 200), ("/v1/files?name=a.csv", &"text\nOil\n".repeat(450), 202)] {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", text.len());
        let (started, mut stream) = (Instant::now(), begun(&service, &head));
        for part in text.as_bytes().chunks(200) {
            std::thread::sleep(Duration::from_millis(70));
            stream.write_all(part).unwrap();
        }
        assert!(started.elapsed() > Duration::from_millis(1000));
        assert_eq!(answers(&rest(stream))[0].0, status, "{path}");
    }
    // what cannot be done in that time is refused at once
    let many = json!({"inputs": vec!["Oil prices rose on Monday and shares fell"; 50_000]}).to_string();
    let (status, error) = service.send("POST", "/", &many, &[]);
    assert_eq!((status, &error["error_type"]), (413, &json!("too_large")), "{error}");
}

#[test]
fn who_does_not_read_the_answers_is_left() {
    let service = start(Limits { idle: SHORT, ..Limits::default() });
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1000);
    let started = Instant::now();
    // at some time neither side takes more, and then the service ends it
    let error = (0..10_000).find_map(|_| stream.write_all(&request).err()).expect("the service reads for ever");
    assert!(matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe), "{error}");
    assert!(started.elapsed() >= SHORT);
    assert_eq!(service.get("/health").0, 200);
    assert_eq!(service.stop(), Ended::Complete);
}

#[test]
fn who_is_refused_reads_why_though_it_is_still_sending() {
    let service = start(Limits::default());
    let text = format!("{{\"inputs\": \"{}\"}}", "a".repeat(50 << 20));
    let long = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{text}", text.len());
    assert_error(&answers(&service.raw(long.as_bytes()))[0], 413, "a text of 50 MB");
    let chunks = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let chunked = format!("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
    assert_error(&answers(&service.raw(chunked.as_bytes()))[0], 413, "a text of 50 MB in chunks");
    let nowhere = long.replacen("POST / ", "POST /nowhere ", 1);
    assert_error(&answers(&service.raw(nowhere.as_bytes()))[0], 404, "50 MB to nowhere");
    assert_eq!(service.post("/", &json!({"inputs": "a"})).0, 200);
}

#[test]
fn bodies_that_are_wrong_are_answered_with_what_is_wrong() {
    let limits = Limits { body_bytes: 64 << 20, ..Limits::default() };
    let service = start(limits);
    let deep = |depth: usize| format!("{{\"inputs\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
    let objects = format!("{{\"inputs\": {}1{}}}", "{\"text\": ".repeat(100_000), "}".repeat(100_000));
    let empties = format!("{{\"inputs\": [{}\"\"]}}", "\"\",".repeat(5_000_000));
    let long_name = format!("{{\"{}\": 1}}", "x".repeat(1 << 20));
    let post = |path: &str, body: &[u8]| {
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        let found = service.raw(&[head.as_bytes(), body].concat());
        assert!(found.len() < 4096, "{path}: the error has {} bytes", found.len());
        answers(&found).remove(0)
    };
    for path in ["/", "/models/ag_news", "/predict", "/tokenize"] {
        for (body, status) in [
            (&b""[..], 400),
            (b"{", 400),
            (b"{\"inputs\": \"a\"", 400),
            (b"{\"inputs\": \"a\"}}", 400),
            (b"{\"inputs\": \"\xff\xfe\"}", 400),
            (b"\xef\xbb\xbf{\"inputs\": \"a\"}", 400),
            (b"{\"inputs\": \"\\ud800\"}", 400),
            (b"{\"inputs\": \"a\", \"inputs\": \"b\"}", 400),
            (b"{'inputs': 'a'}", 400),
            (b"inputs=a", 400),
            (b"null", 400),
            (b"\"a\"", 400),
            (b"[]", 400),
            (b"{}", 400),
            (b"{\"inputs\": []}", 400),
            (b"{\"inputs\": null}", 400),
            (b"{\"inputs\": 3}", 400),
            (b"{\"inputs\": [3]}", 400),
            (b"{\"inputs\": [\"a\", null]}", 400),
            (b"{\"inputs\": \"a\", \"option\": 1}", 400),
            (deep(100).as_bytes(), 400),
            (deep(1_000_000).as_bytes(), 400),
            (objects.as_bytes(), 400),
            (long_name.as_bytes(), 400),
            (empties.as_bytes(), 413),
        ] {
            let found = post(path, body);
            assert_error(&found, status, &format!("{path} {:.60}", String::from_utf8_lossy(body)));
        }
    }
    let unknown = post("/predict", b"{\"inputs\": \"a\", \"truncation\": true}").2;
    assert!(unknown["error"].as_str().unwrap().starts_with("truncation: unknown field `truncation`"), "{unknown}");
    // many texts and long ones are no mistake
    let texts = json!({"inputs": vec!["Oil prices rose on Monday"; 10_000]});
    let (status, found) = service.post("/", &texts);
    assert_eq!((status, found.as_array().unwrap().len()), (200, 10_000));
    let (status, found) = service.post("/", &json!({"inputs": "Oil prices rose on Monday. ".repeat(1 << 20)}));
    assert_eq!((status, &found[0]["label"]), (200, &json!("Business")));
    let whole = service.post("/tokenize", &json!({"inputs": "a ".repeat(1 << 20)}));
    assert_eq!(whole.0, 413);
}

#[test]
fn names_lead_nowhere_else() {
    let service = start(Limits::default());
    for path in [
        "/models/..",
        "/models/../../etc/passwd",
        "/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/models/ag_news%00",
        "/models/%ff%fe",
        "/v1/models/..%2f..%2fetc%2fpasswd",
        "/v2/models/..%5c..%5cetc",
        "/v2/models/ag_news/versions/..%2f1/ready",
        "/page/..%2f..%2fCargo.toml",
        "/page/%2e%2e/%2e%2e/etc/passwd",
        "/v1/files/..%2f..%2fetc%2fpasswd/content",
        "/v1/files/..",
        "//etc/passwd",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let found = service.raw(
                format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 15\r\n\r\n{{\"inputs\": \"a\"}}")
                    .as_bytes(),
            );
            let found = answers(&found).remove(0);
            assert!([400, 404, 405].contains(&found.0), "{method} {path}: {found:?}");
            assert!(found.2["error"].is_string() && found.2["request_id"].is_string(), "{method} {path}: {found:?}");
        }
    }
    let sent = service.send("POST", "/v1/files?name=..%2F..%2F..%2Fetc%2Fpasswd.csv", "text\na\n", &[]).1;
    assert_eq!(sent["name"], "passwd.csv");
}

#[test]
fn pages_of_other_origins_change_nothing() {
    let service = start(Limits::default());
    let address = service.address.to_string();
    let own = format!("http://{address}");
    let body = json!({"inputs": "a"}).to_string();
    let send = |service: &Service, headers: &[(&str, &str)]| service.send("POST", "/", &body, headers).0;
    assert_eq!(send(&service, &[]), 200);
    assert_eq!(send(&service, &[("origin", &own)]), 200);
    assert_eq!(send(&service, &[("origin", "https://proxy.example"), ("sec-fetch-site", "same-origin")]), 200);
    for headers in [
        &[("origin", "https://example.org")][..],
        &[("origin", "null")],
        &[("origin", "https://example.org"), ("sec-fetch-site", "cross-site")],
        &[("origin", &own), ("sec-fetch-site", "same-site")],
    ] {
        let (status, error) = service.send("POST", "/", &body, headers);
        assert_eq!((status, &error["error_type"]), (403, &json!("forbidden")), "{headers:?}");
    }
    let origins = vec!["https://example.org".to_owned()];
    let open = Service::start(ServerSettings { cors_origins: origins, ..settings() });
    assert_eq!(send(&open, &[("origin", "https://example.org"), ("sec-fetch-site", "cross-site")]), 200);
    assert_eq!(send(&open, &[("origin", "https://example.com"), ("sec-fetch-site", "cross-site")]), 403);
}

#[test]
fn a_compressed_body_is_refused_as_such() {
    let service = start(Limits::default());
    for path in ["/", "/v1/files?name=a.csv", "/v2/models/ag_news/infer"] {
        let (status, error) = service.send("POST", path, "{}", &[("content-encoding", "gzip")]);
        assert_eq!(status, 415, "{path}: {error}");
        assert!(error["error"].as_str().unwrap().contains("`gzip`"), "{error}");
    }
}

/// Numbers that look random and are the same in every run (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    /// Bytes with a few of them lost, changed, doubled or moved.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(4) {
            let (at, length) = (self.below(bytes.len().max(1)), 1 + self.below(8));
            let end = (at + length).min(bytes.len());
            match self.below(5) {
                0 => drop(bytes.drain(at.min(end)..end)),
                1 => bytes[at.min(end)..end].fill(self.below(256) as u8),
                2 => {
                    let part = bytes[at.min(end)..end].to_vec();
                    let to = self.below(bytes.len().max(1));
                    drop(bytes.splice(to..to, part));
                }
                3 => {
                    let known: [&[u8]; 10] =
                        [b"\r\n", b"\n", b"\"", b"[", b"{", b"\0", b"\xff", b"999999999999999999999", b"null", b": "];
                    drop(bytes.splice(at..at, known[self.below(known.len())].iter().copied()));
                }
                _ => bytes.truncate(at),
            }
        }
    }
}

#[test]
fn changed_requests_are_answered_or_refused() {
    let service = start(Limits { idle: Duration::from_millis(30), ..Limits::default() });
    let infer =
        r#"{"inputs":[{"name":"text","shape":[2],"datatype":"BYTES"}],"parameters":{"binary_data_output":true}}"#;
    let bodies: [(&str, &str, &[u8]); 9] = [
        ("/", "", br#"{"inputs": [{"text": "a", "text_pair": "b"}, "c"], "parameters": {"top_k": 2, "function_to_apply": "none"}}"#),
        ("/predict", "", br#"{"inputs": [["a"], ["b", "c"]], "truncate": true, "truncation_direction": "left", "raw_scores": true}"#),
        ("/tokenize", "", "{\"inputs\": [\"株式 é\", \"b\"], \"add_special_tokens\": false}".as_bytes()),
        ("/v1/classify", "", br#"{"model": "ag_news", "input": ["a"], "use_activation": false, "user": "u", "priority": 1}"#),
        ("/v1/annotate", "", br#"{"texts": ["a", ""], "activation": "sigmoid"}"#),
        ("/v1/explain", "", br#"{"text": "a b", "method": "leave-one-out", "evaluations": 3}"#),
        ("/v1/files?name=a.jsonl&text_column=text", "", b"{\"text\": \"Oil\"}\n{\"text\": \"\"}\n"),
        ("/v2/models/ag_news/infer", "", br#"{"id": "1", "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [["a"]]}]}"#),
        ("/v2/models/ag_news/infer", "tensors", &[infer.as_bytes(), b"\x03\0\0\0Oil\0\0\0\0"].concat()),
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut statuses = std::collections::BTreeMap::new();
    for round in 0..1800 {
        let (path, kind, body) = bodies[round % bodies.len()];
        let mut body = body.to_vec();
        let in_head = numbers.below(4) == 0;
        if !in_head {
            numbers.change(&mut body);
        }
        let extra = if kind == "tensors" {
            format!("inference-header-content-length: {}\r\n", infer.len())
        } else {
            String::new()
        };
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{extra}content-length: {length}\r\n\r\n");
        let mut bytes = [head.as_bytes(), &body].concat();
        if in_head {
            numbers.change(&mut bytes);
        }
        let found = service.raw(&bytes);
        let what = || format!("round {round}: {:?} -> {found}", String::from_utf8_lossy(&bytes));
        // what is sent and then left is ended without an answer only if nothing of it was a request
        let Some(status) = found.get(9..12) else {
            assert!(bytes.is_empty() || bytes.iter().all(|byte| b"\r\n".contains(byte)), "{}", what());
            continue;
        };
        let status: u16 = status.parse().unwrap_or_else(|_| panic!("{}", what()));
        assert!(status < 500, "{}", what());
        assert!(found.contains("\r\nx-request-id: "), "{}", what());
        *statuses.entry(status).or_insert(0) += 1;
        // or there would be no room for the next
        if let Some((_, id)) = found.split_once("{\"id\":\"").filter(|_| status == 202) {
            assert_eq!(service.send("DELETE", &format!("/v1/files/{}", &id[..32]), "", &[]).0, 204);
        }
    }
    let answered: i32 = statuses.range(..400).map(|(_, count)| count).sum();
    let refused: i32 = statuses.range(400..).map(|(_, count)| count).sum();
    assert!(answered > 100 && refused > 100, "{statuses:?}");
    assert_eq!(service.get("/health").0, 200);
}
