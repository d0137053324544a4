//! A server on this machine that gives what a test tells it to, well or badly, and writes down what it was asked.
// Each test program uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// With the query.
    pub path: String,
    /// By lower-case names.
    pub headers: BTreeMap<String, String>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    length: Option<u64>,
    stall: Option<Duration>,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), length: None, stall: None }
    }

    /// A whole file, or the part of it that is asked for, as a server does that knows of ranges.
    pub fn file(asked: &Asked, bytes: &[u8], tag: &str) -> Self {
        let range =
            asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let same = asked.header("if-range").is_none_or(|validator| validator == tag);
        match range.filter(|_| same) {
            Some(from) if from < bytes.len() => {
                let content = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Self::new(206, &bytes[from..]).header("etag", tag).header("content-range", &content)
            }
            Some(_) => Self::new(416, "").header("content-range", &format!("bytes */{}", bytes.len())),
            None => Self::new(200, bytes).header("etag", tag).header("accept-ranges", "bytes"),
        }
    }

    pub fn to(location: &str) -> Self {
        Self::new(302, "").header("location", location)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Claims another length than that of the body.
    pub fn claiming(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// Claims the whole length, sends no more than so many bytes, and hangs up.
    pub fn cut(mut self, sent: usize) -> Self {
        self.length = Some(self.body.len() as u64);
        self.body.truncate(sent);
        self
    }

    /// Says nothing for a while in the middle of the body.
    pub fn stalling(mut self, pause: Duration) -> Self {
        self.stall = Some(pause);
        self
    }

    fn send(self, mut stream: &TcpStream) -> std::io::Result<()> {
        let length = self.length.unwrap_or(self.body.len() as u64);
        let mut head = format!("HTTP/1.1 {} -\r\nconnection: close\r\ncontent-length: {length}\r\n", self.status);
        for (name, value) in self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all((head + "\r\n").as_bytes())?;
        let (first, second) = self.body.split_at(self.body.len() / 2);
        stream.write_all(first)?;
        if let Some(pause) = self.stall {
            stream.flush()?;
            thread::sleep(pause);
        }
        stream.write_all(second)
    }
}

/// A running server; when it is dropped nobody answers any more.
pub struct Server {
    address: SocketAddr,
    log: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
    listener: Option<thread::JoinHandle<()>>,
}

impl Server {
    pub fn new(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let log = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (asked, stop, answer) = (Arc::clone(&log), Arc::clone(&stopped), Arc::new(answer));
        let listener = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                thread::spawn(move || {
                    let stream = stream.expect("a connection");
                    if let Some(request) = read(&stream) {
                        asked.lock().expect("a valid log").push(request.clone());
                        // a client that has heard enough may hang up
                        let _ = answer(&request).send(&stream);
                    }
                });
            }
        });
        Self { address, log, stopped, listener: Some(listener) }
    }

    /// A server of files by their paths, which knows of ranges.
    pub fn of_files(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let files: BTreeMap<String, Vec<u8>> = files.into_iter().collect();
        Self::new(move |asked| match files.get(&asked.path) {
            Some(bytes) => Answer::file(asked, bytes, "\"1\""),
            None => Answer::new(404, "nothing is here"),
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.log.lock().expect("a valid log").clone()
    }

    /// The paths that were asked for so far.
    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).ok()? == 0 || header.trim().is_empty() {
            return Some(Asked { path, headers });
        }
        if let Some((name, value)) = header.split_once(':') {
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
}

/// A tiny model with random weights.
pub fn golden_model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden").join(name)
}

/// The files of a tiny model that make it one, by name.
pub fn model_files(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(golden_model(name)).expect("a model of this repository") {
        let path = entry.expect("a readable folder").path();
        let file = path.file_name().expect("a file").to_string_lossy().into_owned();
        if path.is_file() && file != "expected.json" && file != "pairs.json" {
            files.push((file, std::fs::read(path).expect("a readable file")));
        }
    }
    files.sort();
    files
}

/// A zip archive of files, some of which may have names that no sound archive has.
pub fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name, SimpleFileOptions::default()).expect("a name that fits");
        writer.write_all(bytes).expect("a vector takes everything");
    }
    writer.finish().expect("an archive").into_inner()
}

/// The archive of a tiny model.
pub fn model_archive(name: &str) -> Vec<u8> {
    archive(&model_files(name))
}

/// Every file below a folder by its path within, sorted; the empty files by which processes wait for each other left
/// out.
pub fn files_below(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).expect("a path below").to_string_lossy().replace('\\', "/"));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.retain(|path| !path.starts_with(".locks/"));
    found.sort();
    found
}
