//! Any bytes as all that a client sends over a connection: whole answers, each with the id of its request.
#![no_main]

mod service;

use libfuzzer_sys::fuzz_target;

use service::SERVICE;

fuzz_target!(|bytes: &[u8]| {
    let answer = SERVICE.converse(bytes.to_vec());
    let mut rest = &answer[..];
    while !rest.is_empty() {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let head = match response.parse(rest).expect("an answer is HTTP") {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => panic!("an answer ends within its head"),
        };
        let code = response.code.expect("a status");
        rest = &rest[head..];
        if code == 100 {
            continue;
        }
        assert!(matches!(code, 200..=499), "{code}");
        let header = |name: &str| {
            let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| std::str::from_utf8(header.value).expect("ASCII"))
        };
        assert!(header("x-request-id").is_some_and(|id| !id.is_empty()), "{code} without an id");
        let length: usize = header("content-length").unwrap_or("0").parse().expect("a length");
        // the answer to `HEAD` has the length of what is not there
        match rest.get(length..) {
            Some(after) if after.is_empty() || after.starts_with(b"HTTP/1.") => rest = after,
            _ if rest.starts_with(b"HTTP/1.") || rest.is_empty() => {}
            _ => panic!("{code}: {length} bytes were told, but {} are there", rest.len()),
        }
    }
});
