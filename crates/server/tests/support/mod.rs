//! A service on loopback, and ways to talk to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use albertine_server::{Ended, NamedModel, Server, ServerError, ServerSettings};
use serde_json::Value;
use tokio::sync::oneshot;

/// A service that runs until it is dropped or stopped.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<Ended, ServerError>>>,
}

pub(crate) fn settings() -> ServerSettings {
    let model = NamedModel { name: "ag_news".to_owned(), source: albertine::hub::resolve("ag_news").unwrap() };
    ServerSettings { address: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerSettings::new(vec![model]) }
}

impl Service {
    pub(crate) fn start(settings: ServerSettings) -> Self {
        let server = Server::bind(settings).unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || server.run_until(async { drop(stopped.await) }));
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, &body.to_string(), &[])
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, "", &[])
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let (status, _, text) = self.whole(method, path, body, headers);
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Status, headers and body.
    pub(crate) fn whole(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> (u16, http::HeaderMap, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = agent.run(request.body(body.to_owned()).unwrap()).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), response.headers().clone(), text)
    }

    /// What bytes that need not be HTTP are answered with, until the service closes the connection.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn stop(mut self) -> Ended {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
