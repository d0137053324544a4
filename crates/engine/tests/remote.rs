//! Tables over HTTP and S3, from a server on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use albertine_engine::{EngineError, Format, Source, SourceOptions};
use common::{Folder, cells, copy, gzip, open, options, read, read_all};

/// A server of files, with ranges, and a log of the requests.
struct Server {
    address: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let files: Arc<BTreeMap<String, Vec<u8>>> =
            Arc::new(files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect());
        let log = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (files, requests) = (Arc::clone(&files), Arc::clone(&requests));
                std::thread::spawn(move || serve(&stream.unwrap(), &files, &requests));
            }
        });
        Self { address, log }
    }

    fn url(&self, name: &str) -> String {
        format!("http://{}{name}", self.address)
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// Answers requests on one connection until it is closed.
fn serve(stream: &TcpStream, files: &BTreeMap<String, Vec<u8>>, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut range = String::new();
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) == 0 || header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("range")
            {
                range = value.trim().to_owned();
            }
        }
        let mut words = request.split_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        // as S3 reads the `=` of partitions
        let decoded = path.replace("%3D", "=");
        let path = decoded.as_str();
        log.lock().unwrap().push(format!("{method} {path} {range}").trim().to_owned());
        let mut answer = Vec::new();
        if path.contains("list-type=2") {
            let prefix = path.split_once("prefix=").map_or("", |(_, rest)| rest.split('&').next().unwrap_or(rest));
            let prefix = prefix.replace("%2F", "/");
            let list = listing(files, &prefix);
            answer.extend(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{list}", list.len()).into_bytes());
        } else if let Some(bytes) = path.strip_prefix("/chunked").and_then(|path| files.get(path)) {
            // as programs answer that make their data on the way: no length, no parts
            answer.extend(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
            if method == "GET" {
                answer.extend(format!("{:x}\r\n", bytes.len()).into_bytes());
                answer.extend([bytes.as_slice(), b"\r\n0\r\n\r\n"].concat());
            }
        } else if let Some(bytes) = path.strip_prefix("/whole").and_then(|path| files.get(path)) {
            answer.extend(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", bytes.len()).into_bytes());
            if method == "GET" {
                answer.extend(bytes);
            }
        } else if let Some(bytes) = files.get(path) {
            let (status, body, extra) = match range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) {
                Some((start, end)) => {
                    let start: usize = start.parse().unwrap();
                    let end = end.parse::<usize>().map_or(bytes.len(), |end| (end + 1).min(bytes.len()));
                    let content = format!("content-range: bytes {start}-{}/{}\r\n", end - 1, bytes.len());
                    ("206 Partial Content", &bytes[start..end], content)
                }
                None => ("200 OK", &bytes[..], String::new()),
            };
            let modified = "last-modified: Mon, 01 Jan 2024 00:00:00 GMT\r\netag: \"1\"\r\n";
            answer.extend(
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{modified}{extra}\r\n", body.len()).into_bytes(),
            );
            if method == "GET" {
                answer.extend(body);
            }
        } else {
            answer.extend(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        }
        if (&*stream).write_all(&answer).is_err() {
            return;
        }
    }
}

/// The keys of the bucket `box` below `prefix`, as S3 lists them.
fn listing(files: &BTreeMap<String, Vec<u8>>, prefix: &str) -> String {
    let entries: String = files
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("/box/")?, bytes)))
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, bytes)| {
            let size = bytes.len();
            format!("<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>\"1\"</ETag><Size>{size}</Size></Contents>")
        })
        .collect();
    format!("<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>")
}

#[test]
fn servers_without_lengths_or_ranges() {
    let folder = common::Folder::new();
    common::copy(&folder.write("a.csv", "a\n1\n2\n"), &folder.at("b.parquet")).unwrap();
    let server = Server::new(&[
        ("/a.csv", b"a\n1\n2\n".to_vec()),
        ("/a.csv.gz", gzip(b"a\n1\n2\n")),
        ("/a.jsonl", b"{\"a\":\"1\"}\n{\"a\":\"2\"}\n".to_vec()),
        ("/b.parquet", std::fs::read(folder.at("b.parquet")).unwrap()),
        ("/login.csv", b"<!DOCTYPE html>\n<html></html>".to_vec()),
    ]);
    for way in ["/chunked", "/whole"] {
        for name in ["/a.csv", "/a.csv.gz", "/a.jsonl", "/b.parquet"] {
            let batch = read(&server.url(&format!("{way}{name}"))).unwrap();
            assert_eq!(cells(&batch), [["1"], ["2"]], "{way}{name}");
        }
    }
    let message = read(&server.url("/login.csv")).unwrap_err().to_string();
    assert!(message.contains("is not csv: it is a web page"), "{message}");
    assert!(matches!(read(&server.url("/chunked/none.csv")), Err(EngineError::NotFound { .. })));
}

#[test]
fn text_formats_over_http() {
    let jsonl = b"{\"b\":1,\"a\":\"x\"}\n{\"a\":null}\n".to_vec();
    let server = Server::new(&[
        ("/a.csv", b"a\n1\n2\n".to_vec()),
        ("/b.csv.gz", gzip(b"a\n3\n")),
        ("/c.jsonl", jsonl.clone()),
        ("/odd%20name.csv", b"a\n9\n".to_vec()),
        ("/q.csv?key=7", b"a\n8\n".to_vec()),
    ]);
    let both = Source::open(options(&[&server.url("/a.csv"), &server.url("/b.csv.gz")])).unwrap();
    assert_eq!(cells(&read_all(both).unwrap()), [["1"], ["2"], ["3"]]);
    let source = open(&server.url("/c.jsonl")).unwrap();
    assert_eq!(source.bytes_total(), Some(jsonl.len() as u64));
    assert_eq!(cells(&read_all(source).unwrap()), [["1", "x"], ["∅", "∅"]]);
    assert_eq!(cells(&read(&server.url("/odd%20name.csv")).unwrap()), [["9"]]);
    assert_eq!(cells(&read(&server.url("/q.csv?key=7")).unwrap()), [["8"]]);
    let given = SourceOptions { format: Some(Format::Txt), ..options(&[&server.url("/a.csv")]) };
    assert_eq!(read_all(Source::open(given).unwrap()).unwrap().num_rows(), 3);
}

#[test]
fn parquet_over_http_is_read_in_ranges() {
    let folder = Folder::new();
    let text: String = (0..30_000).map(|row| format!("{row},{}\n", row * 7919 % 104_729)).collect();
    let input = folder.write("a.csv", format!("a,b\n{text}"));
    copy(&input, &folder.at("a.parquet")).unwrap();
    let server = Server::new(&[("/a.parquet", std::fs::read(folder.at("a.parquet")).unwrap())]);
    let source = open(&server.url("/a.parquet")).unwrap();
    assert_eq!(source.rows_total(), Some(30_000));
    assert_eq!(read_all(source).unwrap().columns(), read(&input).unwrap().columns());
    let log = server.log();
    assert!(log.iter().any(|request| request.starts_with("GET /a.parquet bytes=")), "{log:?}");
    assert!(!log.contains(&"GET /a.parquet".to_owned()), "the whole file is never asked for: {log:?}");
}

#[test]
fn what_a_server_does_not_have() {
    let server = Server::new(&[("/bad.parquet", b"this is no parquet file".to_vec())]);
    for name in ["/a.csv", "/a.jsonl", "/a.parquet"] {
        let url = server.url(name);
        assert_eq!(open(&url).unwrap_err().to_string(), format!("{url} does not exist"));
    }
    let url = server.url("/bad.parquet");
    assert!(open(&url).unwrap_err().to_string().starts_with(&format!("cannot read {url} as parquet: ")));
}

#[test]
fn nobody_answers() {
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/a.csv");
    let error = open(&url).unwrap_err();
    assert!(matches!(&error, EngineError::Remote { url: named, .. } if *named == url), "{error}");
}

#[test]
fn buckets_are_listed_and_read() {
    let server = Server::new(&[
        ("/box/news/b.csv", b"a\n3\n".to_vec()),
        ("/box/news/a.csv", b"a\n1\n2\n".to_vec()),
        ("/box/news/_SUCCESS", Vec::new()),
        ("/box/news/deep/c.csv", b"a\n4\n".to_vec()),
        ("/box/parts/_SUCCESS", Vec::new()),
        ("/box/parts/_temporary/0/a.csv", b"a\nX\n".to_vec()),
        ("/box/parts/y=2024/a.csv", b"a\n6\n".to_vec()),
        ("/box/parts/y=2025/a.csv", b"a\n7\n".to_vec()),
        ("/box/other.csv", b"a\n5\n".to_vec()),
    ]);
    // The settings of a bucket come from the environment, so that they must be there before the program starts.
    let program = std::env::current_exe().unwrap();
    let output = std::process::Command::new(program)
        .args(["--exact", "inner::reads_the_bucket", "--nocapture", "--ignored"])
        .env("AWS_ENDPOINT", format!("http://{}", server.address))
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

mod inner {
    use super::*;

    #[test]
    #[ignore = "run by `buckets_are_listed_and_read`, with its environment"]
    fn reads_the_bucket() {
        let rows = |input: &str| cells(&read(input).unwrap()).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(rows("s3://box/other.csv"), ["5"]);
        assert_eq!(rows("s3://box/news/"), ["1", "2", "3", "4"], "with what is below");
        let partitioned = read("s3://box/parts/").unwrap();
        assert_eq!(common::names(&partitioned), ["a", "y"]);
        assert_eq!(cells(&partitioned), [["6", "2024"], ["7", "2025"]]);
        assert_eq!(cells(&read("s3://box/parts/*/*.csv").unwrap()), [["6", "2024"], ["7", "2025"]]);
        assert_eq!(rows("s3://box/news/*.csv"), ["1", "2", "3"]);
        assert_eq!(rows("s3://box/**/c.csv"), ["4"]);
        assert!(matches!(open("s3://box/none/*.csv"), Err(EngineError::NoMatch { .. })));
        assert!(matches!(open("s3://box/none.csv"), Err(EngineError::NotFound { .. })));
    }
}
