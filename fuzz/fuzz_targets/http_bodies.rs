//! Any bytes as the body of a request to every route that takes one: an answer in JSON, or an error in JSON that is the
//! client's.
#![no_main]

mod service;

use http::Request;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

use service::SERVICE;

const ROUTES: [&str; 9] = [
    "/",
    "/models/ag_news",
    "/predict",
    "/tokenize",
    "/v1/classify",
    "/v1/annotate",
    "/v1/explain",
    "/v1/corrections",
    "/v2/models/ag_news/infer",
];

fuzz_target!(|input: (u8, &[u8])| {
    let (route, body) = input;
    let path = ROUTES[usize::from(route) % ROUTES.len()];
    let request = Request::post(path).header("host", "a").body(body.to_vec()).expect("a request");
    let answer = SERVICE.answer(request);
    let status = answer.status().as_u16();
    assert!(matches!(status, 200 | 400 | 404 | 413 | 422), "{path}: {status}");
    assert!(answer.headers().contains_key("x-request-id"), "{path}");
    if answer.headers()["content-type"] == "application/json" {
        let json: Value = serde_json::from_slice(answer.body()).expect("JSON");
        assert_eq!(json.get("error").is_some(), status != 200, "{path}: {status} {json}");
    } else {
        assert_eq!((path, status), ("/v2/models/ag_news/infer", 200));
    }
});
