//! Any bytes as a request for inference with binary tensors: an error of the client's, or an answer whose tensors take up
//! all that is behind its JSON.
#![no_main]

mod service;

use arbitrary::Arbitrary;
use http::{HeaderValue, Request};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

use service::SERVICE;

const HEADER_LENGTH: &str = "inference-header-content-length";

#[derive(Debug, Arbitrary)]
enum Head<'a> {
    /// JSON that fits what is behind it, if the texts do.
    Fitting { shape: Vec<u16>, binary_output: bool },
    /// Anything.
    Json(&'a [u8]),
}

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    head: Head<'a>,
    /// The length in the header, if it is not the true one.
    length: Option<&'a [u8]>,
    data: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let mut body = match input.head {
        Head::Fitting { shape, binary_output } => format!(
            r#"{{"inputs":[{{"name":"text","datatype":"BYTES","shape":{shape:?}}}],"parameters":{{"binary_data_output":{binary_output}}}}}"#
        )
        .into_bytes(),
        Head::Json(json) => json.to_vec(),
    };
    let length = match input.length {
        Some(given) => HeaderValue::from_bytes(given).ok(),
        None => Some(HeaderValue::from(body.len())),
    };
    let Some(length) = length else { return };
    body.extend_from_slice(input.data);
    let request = Request::post("/v2/models/ag_news/infer").header("host", "a").header(HEADER_LENGTH, length);
    let answer = SERVICE.answer(request.body(body).expect("a request"));
    let status = answer.status().as_u16();
    assert!(matches!(status, 200 | 400 | 413), "{status}");
    let Some(length) = answer.headers().get(HEADER_LENGTH) else { return };
    let (json, tensors) = answer.body().split_at(length.to_str().expect("digits").parse().expect("a number"));
    let json: Value = serde_json::from_slice(json).expect("JSON");
    let sizes = json["outputs"].as_array().expect("outputs").iter();
    let sizes = sizes.map(|output| output["parameters"]["binary_data_size"].as_u64().expect("a size"));
    assert_eq!(sizes.sum::<u64>(), tensors.len() as u64);
});
