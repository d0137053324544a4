//! A whole service on loopback, as its clients see it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use albertine::{Classifier, ClassifierSettings};
use albertine_server::{Ended, Limits, Server, ServerSettings};
use serde_json::{Value, json};
use support::{Service, settings};

const TEXTS: [&str; 3] = ["Oil prices rose on Monday", "The team won the final on penalties", "Ends\\ \"with\" 株式"];

/// The scores of the library, which are those of `albertine classify`.
fn expected() -> Vec<Vec<f32>> {
    let classifier = Classifier::pretrained("ag_news", ClassifierSettings::default()).unwrap();
    let logits = classifier.logits(&TEXTS.map(Some)).unwrap();
    logits.into_iter().map(|row| classifier.activation().scores(&row.unwrap())).collect()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

/// The scores of a list of labels in the model's order.
fn of_labels(value: &Value) -> Vec<f32> {
    let score = |label: &str| {
        let found = value.as_array().unwrap().iter().find(|entry| entry["label"] == label);
        found.unwrap()["score"].as_f64().unwrap() as f32
    };
    ["World", "Sports", "Business", "Sci/Tech"].map(score).to_vec()
}

#[test]
fn every_shape_has_the_scores_of_the_library_bit_for_bit() {
    let (service, expected) = (Service::start(settings()), expected());

    let (status, hugging_face) = service.post("/", &json!({"inputs": TEXTS, "parameters": {}}));
    assert_eq!(status, 200);
    let (_, tei) = service.post("/predict", &json!({"inputs": TEXTS.map(|text| [text])}));
    let (_, openai) = service.post("/v1/classify", &json!({"model": "ag_news", "input": TEXTS}));
    let (_, annotated) = service.post("/v1/annotate", &json!({"texts": TEXTS}));
    let input = json!({"name": "text", "datatype": "BYTES", "shape": [3], "data": TEXTS});
    let (_, open) = service.post("/v2/models/ag_news/infer", &json!({"id": "7", "inputs": [input]}));
    let tensor = |name: &str| open["outputs"].as_array().unwrap().iter().find(|t| t["name"] == name).unwrap().clone();
    let scores = numbers(&tensor("scores")["data"]);
    for (index, row) in expected.iter().enumerate() {
        assert_eq!(&of_labels(&hugging_face[index]), row);
        assert_eq!(&of_labels(&tei[index]), row);
        assert_eq!(&numbers(&openai["data"][index]["probs"]), row);
        assert_eq!(scores[index * 4..][..4], row[..]);
        assert_eq!(annotated["scores"][index]["Business"].as_f64().unwrap() as f32, row[2]);
    }
    assert_eq!((&open["id"], &tensor("label")["data"][1]), (&json!("7"), &json!("Sports")));
    assert_eq!(annotated["annotations"][0][0]["result"], "Business");
    assert_eq!(annotated["annotations"][0][0]["end"], 24);

    let one = service.post("/", &json!({"inputs": TEXTS[0], "parameters": {"top_k": 1}})).1;
    assert_eq!((one.as_array().unwrap().len(), &one[0]["label"]), (1, &json!("Business")));
    let body = json!({"inputs": TEXTS[0], "parameters": {}}).to_string();
    let nested = service.send("POST", "/models/ag_news", &body, &[("user-agent", "unknown/None; hf_hub/1.0")]).1;
    assert_eq!(of_labels(&nested[0]), expected[0]);
}

#[test]
fn a_blank_text_has_no_label() {
    let service = Service::start(settings());
    assert_eq!(service.post("/", &json!({"inputs": " "})), (200, json!([])));
    assert_eq!(service.post("/predict", &json!({"inputs": [["x"], [""]]})).1[1], json!([]));
    assert_eq!(service.post("/classify", &json!({"input": ""})).1["data"][0]["label"], Value::Null);
    let annotated = service.post("/v1/annotate", &json!({"texts": [""]})).1;
    assert_eq!((&annotated["annotations"], &annotated["scores"]), (&json!([[]]), &json!([null])));
}

#[test]
fn explanations_add_up() {
    let service = Service::start(settings());
    let (status, found) = service.post("/v1/explain", &json!({"text": TEXTS[0]}));
    assert_eq!((status, &found["label"]), (200, &json!("Business")));
    let words = found["words"].as_array().unwrap();
    let sum: f64 = words.iter().map(|word| word["weights"][2].as_f64().unwrap()).sum();
    let whole = found["values"][2].as_f64().unwrap() - found["base"][2].as_f64().unwrap();
    assert!((sum - whole).abs() < 1e-5, "{sum} {whole}");
    assert_eq!(words[0]["word"], "Oil");
    assert_eq!(numbers(&found["values"]), expected()[0]);
}

#[test]
fn what_is_wrong_is_said_with_the_id_of_the_request() {
    let service = Service::start(settings());
    let deep = format!("{{\"inputs\": {}", "[".repeat(10_000));
    for (path, body, status, words) in [
        ("/", "{", 400, "EOF"),
        ("/", "", 400, "empty"),
        ("/", "\u{0}", 400, "expected value"),
        ("/", &*deep, 400, "inputs"),
        ("/", r#"["a"]"#, 400, "a JSON object was expected"),
        ("/", r#"{"inputs": []}"#, 400, "at least one text"),
        ("/", r#"{"inputs": ["a", 3]}"#, 400, "inputs[1]: invalid type: integer `3`"),
        ("/", r#"{"inputs": "a", "top_k": 3}"#, 400, "unknown field `top_k`"),
        ("/", r#"{"inputs": "a", "parameters": {"top_k": 0}}"#, 422, "top_k must be at least 1"),
        ("/predict", r#"{"inputs": ["a", "b", "c"]}"#, 400, "one text, or the two texts of a pair"),
        ("/v1/annotate", r#"{"texts": []}"#, 400, "empty"),
        ("/v1/explain", r#"{"text": "a", "evaluations": 0}"#, 422, "from 1 to 5000"),
        ("/v1/corrections", r#"{"text": "a", "label": "World"}"#, 404, "--corrections"),
        ("/models/..%2F..%2Fetc", r#"{"inputs": "a"}"#, 404, "there is no model `../../etc`; there are `ag_news`"),
        ("/v2/models/ag_news/infer", r#"{"inputs": []}"#, 400, "one tensor"),
        ("/nowhere", "", 404, "there is no POST /nowhere"),
    ] {
        let (found, headers, text) = service.whole("POST", path, body, &[("x-request-id", "my-id")]);
        let error: Value = serde_json::from_str(&text).expect("an error is JSON");
        assert_eq!(found, status, "{path} {body:.60}: {text}");
        assert!(error["error"].as_str().unwrap().contains(words), "{path} {body:.60}: {text}");
        assert_eq!((&error["request_id"], &headers["x-request-id"]), (&json!("my-id"), &"my-id".parse().unwrap()));
    }
    let (status, error) = service.post("/v1/classify", &json!({"input": "a", "model": "none"}));
    assert_eq!((status, &error["error"]["code"]), (404, &json!(404)));
    assert_eq!(service.whole("PUT", "/predict", "", &[]).1["allow"], "POST");
    // the service goes on
    assert_eq!(service.post("/", &json!({"inputs": "a"})).0, 200);
}

#[test]
fn limits_refuse_before_they_read() {
    let limits = Limits { body_bytes: 200, texts: 3, file_bytes: 20, ..Limits::default() };
    let service = Service::start(ServerSettings { limits, truncate: false, ..settings() });
    assert_eq!(service.post("/", &json!({"inputs": "a".repeat(200)})).0, 413);
    let chunked = format!(
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        300,
        "a".repeat(300)
    );
    assert!(service.raw(chunked.as_bytes()).starts_with("HTTP/1.1 413"));
    assert_eq!(service.post("/", &json!({"inputs": ["a", "b", "c", "d"]})).0, 413);
    assert_eq!(service.send("POST", "/v1/files?name=a.csv", "text\n0123456789012345\n", &[]).0, 413);
}

#[test]
fn a_long_text_is_refused_where_truncation_is_off() {
    let service = Service::start(ServerSettings { truncate: false, ..settings() });
    let long = "oil ".repeat(600);
    let (status, error) = service.post("/predict", &json!({"inputs": [["a"], [long]]}));
    assert_eq!((status, &error["error"]), (413, &json!("text 1 has more than the 512 tokens that the model reads")));
    let left = service.post("/predict", &json!({"inputs": long, "truncate": true, "truncation_direction": "left"}));
    assert_eq!(left.0, 200);
}

#[test]
fn a_key_is_needed_but_to_see_whether_the_service_lives() {
    let service = Service::start(ServerSettings { api_key: Some("secret".to_owned()), ..settings() });
    let body = json!({"inputs": "a"}).to_string();
    let with = |key: &str| service.send("POST", "/", &body, &[("authorization", key)]).0;
    assert_eq!((with("Bearer secret"), with("bearer secret")), (200, 200));
    for wrong in ["Bearer secre", "Bearer secrets", "Bearer ", "secret", "Basic secret"] {
        assert_eq!(with(wrong), 401, "{wrong}");
    }
    for path in ["/health", "/ping", "/", "/openapi.json", "/page/main.js", "/v2/health/ready"] {
        assert_eq!(service.get(path).0, 200, "{path}");
    }
    for path in ["/metrics", "/v1/models", "/info", "/v1/files/x"] {
        assert_eq!(service.get(path).0, 401, "{path}");
    }
}

/// The state of a file when it is no longer running.
fn settled(service: &Service, id: &str) -> Value {
    for _ in 0..500 {
        let state = service.get(&format!("/v1/files/{id}")).1;
        if state["state"] != "running" {
            return state;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the file is never done");
}

#[test]
fn a_file_comes_back_labeled() {
    let service = Service::start(settings());
    let csv = "id,headline\n007,Oil prices rose on Monday\n8,\n9,The team won the final on penalties\n";
    let (status, sent) = service.send("POST", "/v1/files?name=..%2Fnews.csv", csv, &[]);
    assert_eq!((status, &sent["name"]), (202, &json!("news.csv")));
    let id = sent["id"].as_str().unwrap();
    let state = settled(&service, id);
    assert_eq!((&state["state"], &state["rows"]), (&json!("done"), &json!(3)), "{state}");
    assert_eq!(state["labels"], json!({"Business": 1, "Sports": 1}));
    let (_, headers, labeled) = service.whole("GET", &format!("/v1/files/{id}/content"), "", &[]);
    assert_eq!(headers["content-disposition"], "attachment; filename=\"news_labeled.csv\"");
    let lines: Vec<&str> = labeled.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[2]), (4, "id,headline,label,score", "8,,,"));
    assert!(lines[1].starts_with("007,Oil prices rose on Monday,Business,0.98"), "{labeled}");
    assert_eq!(service.send("DELETE", &format!("/v1/files/{id}"), "", &[]).0, 204);
    assert_eq!(service.get(&format!("/v1/files/{id}")).0, 404);

    let wrong = service.send("POST", "/v1/files?name=a.csv&text_column=body", csv, &[]).1;
    let state = settled(&service, wrong["id"].as_str().unwrap());
    assert_eq!(state["state"], "failed");
    assert!(state["error"].as_str().unwrap().contains("`body`"), "{state}");
    assert_eq!(service.send("POST", "/v1/files?name=a.exe", csv, &[]).0, 422);
}

#[test]
fn files_that_unpack_to_more_than_there_is_room_for_are_refused() {
    let limits = Limits { file_bytes: 1 << 20, body_bytes: 1 << 10, ..Limits::default() };
    let service = Service::start(ServerSettings { limits, ..settings() });
    let failed = |name: &str, bytes: &[u8]| {
        let head = format!(
            "POST /v1/files?name={name} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        );
        let answer = service.raw(&[head.as_bytes(), bytes].concat());
        let sent: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        settled(&service, sent["id"].as_str().unwrap())["error"].clone()
    };
    let rows = "text\n".to_owned() + &"Oil prices rose on Monday\n".repeat(50_000);
    let packed = zstd::encode_all(rows.as_bytes(), 1).unwrap();
    assert!(packed.len() < 1 << 16);
    assert_eq!(failed("bomb.csv.zst", &packed), "the file has more than 1048576 bytes when it is unpacked");
    assert_eq!(failed("bomb.csv", &packed), "the file has more than 1048576 bytes when it is unpacked");
    let long = format!("text\nOil\n{}\n", "oil ".repeat(257));
    assert_eq!(failed("long.csv", long.as_bytes()), "a text of the file has more than 1024 bytes");
}

#[test]
fn uploads_that_are_broken_off_take_no_place() {
    let service = Service::start(settings());
    for _ in 0..20 {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream
            .write_all(b"POST /v1/files?name=a.csv HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\ntext\n")
            .unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(service.send("POST", "/v1/files?name=a.csv", "text\nOil\n", &[]).0, 202);
}

#[test]
fn corrections_are_a_table_to_train_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corrections.csv");
    let service = Service::start(ServerSettings { corrections: Some(path.clone()), ..settings() });
    assert_eq!(service.post("/v1/corrections", &json!({"text": "a \"b\",\nc", "label": "Sports"})).0, 204);
    assert_eq!(service.post("/v1/corrections", &json!({"text": "d", "label": "Sci/Tech"})).0, 204);
    assert_eq!(service.post("/v1/corrections", &json!({"text": "d", "label": "Nothing"})).0, 404);
    assert_eq!(service.post("/v1/corrections", &json!({"text": " \n", "label": "Sports"})).0, 422);
    let (status, error) = service.post("/v1/corrections", &json!({"text": "d".repeat(70_000), "label": "Sports"}));
    assert_eq!((status, error["error"].as_str().unwrap()), (413, "a correction may not have more than 65536 bytes"));
    let table = std::fs::read_to_string(path).unwrap();
    assert_eq!(table, "text,label\n\"a \"\"b\"\",\nc\",\"Sports\"\n\"d\",\"Sci/Tech\"\n");
}

#[test]
fn a_file_that_was_just_labeled_is_not_removed_for_another() {
    let service = Service::start(settings());
    let send = || service.send("POST", "/v1/files?name=a.csv", "text\nOil\n", &[]);
    let ids: Vec<String> = (0..16).map(|_| send().1["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(send().0, 429);
    for id in &ids {
        assert_eq!(service.send("DELETE", &format!("/v1/files/{id}"), "", &[]).0, 204, "{id}");
    }
    assert_eq!(send().0, 202);
}

#[test]
fn what_clients_of_vllm_and_sglang_send_is_taken() {
    let service = Service::start(settings());
    let usual = json!({"input": "a", "truncate_prompt_tokens": -1, "add_special_tokens": true, "request_id": "x"});
    assert_eq!(service.post("/v1/classify", &usual).0, 200);
    assert_eq!(service.post("/v1/classify", &json!({"input": "a", "rid": "x"})).0, 200);
    let (status, error) = service.post("/v1/classify", &json!({"input": "a", "truncate_prompt_tokens": 5}));
    assert!(status == 422 && error["error"]["message"].as_str().unwrap().contains("only -1"), "{error}");
}

#[test]
fn what_was_accepted_is_answered_before_the_service_ends() {
    let service = Service::start(settings());
    let texts: Vec<String> = (0..3000).map(|index| format!("Oil prices rose on Monday {index}")).collect();
    let body = json!({"inputs": texts}).to_string();
    let mut stream = TcpStream::connect(service.address).unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    while service.whole("GET", "/metrics", "", &[]).2.contains("te_batch_next_size_count 0") {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(service.stop(), Ended::Complete);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.200}");
    assert_eq!(answer.matches("\"label\":\"Business\"").count(), 3000);
}

#[test]
fn a_service_that_is_out_of_time_ends_without_the_rest() {
    let limits = Limits { shutdown: Duration::from_millis(300), ..Limits::default() };
    let service = Service::start(ServerSettings { limits, ..settings() });
    let texts: Vec<String> = (0..60_000).map(|index| format!("Oil prices rose on Monday {index}")).collect();
    let body = json!({"inputs": texts}).to_string();
    let mut stream = TcpStream::connect(service.address).unwrap();
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    while service.whole("GET", "/metrics", "", &[]).2.contains("te_batch_next_size_count 0") {
        std::thread::sleep(Duration::from_millis(1));
    }
    let started = std::time::Instant::now();
    assert_eq!(service.stop(), Ended::Cut);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn overload_is_refused_alike_for_one_text_and_for_many() {
    let limits = Limits { queue_tokens: 1, batch_tokens: 1, ..Limits::default() };
    let service = Service::start(ServerSettings { limits, ..settings() });
    let many = json!({"inputs": vec!["Oil prices rose on Monday"; 3000]}).to_string();
    let mut busy = TcpStream::connect(service.address).unwrap();
    busy.write_all(format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{many}", many.len()).as_bytes())
        .unwrap();
    while service.whole("GET", "/metrics", "", &[]).2.contains("te_batch_next_size_count 0") {
        std::thread::sleep(Duration::from_millis(1));
    }
    for count in [1, 100] {
        let body = json!({"inputs": vec!["Goal"; count]}).to_string();
        let (status, headers, _) = service.whole("POST", "/", &body, &[]);
        assert_eq!(status, 429, "{count}");
        assert!(headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    }
    // whoever watches the service sees it all the same, and with the client its texts go
    assert_eq!(service.get("/health").0, 200);
    drop(busy);
    let body = json!({"inputs": "Goal"}).to_string();
    let freed = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        service.send("POST", "/", &body, &[]).0 == 200
    });
    assert!(freed, "texts of a client that has hung up stay in the queue");
}

#[test]
fn the_description_names_every_route() {
    let service = Service::start(settings());
    let description = service.get("/openapi.json").1;
    let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    for path in [
        "/",
        "/models/{name}",
        "/predict",
        "/v1/classify",
        "/v1/annotate",
        "/v1/explain",
        "/v1/files",
        "/v2/models/{name}/infer",
        "/metrics",
        "/tokenize",
    ] {
        assert!(paths.iter().any(|known| *known == path), "{path} is not among {paths:?}");
    }
}

#[test]
fn wrong_settings_are_told_before_the_service_listens() {
    let refused = |settings: ServerSettings| Server::bind(settings).expect_err("wrong").to_string();
    let twice = [settings().models, settings().models].concat();
    assert_eq!(refused(ServerSettings { models: twice, ..settings() }), "two models are called `ag_news`");
    assert_eq!(refused(ServerSettings { models: Vec::new(), ..settings() }), "no model is given");
    let origin = refused(ServerSettings { cors_origins: vec!["example.org".to_owned()], ..settings() });
    assert_eq!(origin, "`example.org` is not an origin such as https://example.org");
    let limits = Limits { model_bytes: Some(1000), ..Limits::default() };
    assert!(refused(ServerSettings { limits, ..settings() }).contains("but loaded models may take 1000"));
    let service = Service::start(settings());
    assert!(refused(ServerSettings { address: service.address, ..settings() }).starts_with("cannot listen on"));
}
