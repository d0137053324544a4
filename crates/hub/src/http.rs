//! One request over HTTP: whom it goes to, how far it follows, and what must not travel with it.

use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use ureq::http::header::{AUTHORIZATION, HeaderMap, HeaderName, IF_RANGE, LOCATION, RANGE, RETRY_AFTER};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use url::{Host, Origin, Url};

use super::HubError;

/// What this program calls itself.
const USER_AGENT: &str = concat!("albertine/", env!("CARGO_PKG_VERSION"));

/// Addresses that an address may lead through.
const MOST_REDIRECTS: usize = 10;

/// The longest that a server may ask to be left in peace.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Bounds of what is fetched, and how long is waited for it.
///
/// ```
/// use std::time::Duration;
/// use albertine_hub::{Hub, Limits};
/// let limits = Limits { attempts: 2, silence: Duration::from_secs(5), ..Limits::default() };
/// let hub = Hub::<()>::new("cache").limits(limits);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most bytes of one file; a larger one is refused before any of it is stored. 4 GiB unless told otherwise.
    pub largest_file: u64,
    /// How often an answer is waited for without a byte of it coming, before it is given up. 5 unless told otherwise.
    pub attempts: u32,
    /// The pause after the first failure, doubled after each further one. Half a second unless told otherwise.
    pub first_pause: Duration,
    /// The longest time for a connection to be made, or for a server to say nothing. 30 s unless told otherwise.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            largest_file: 4 << 30,
            attempts: 5,
            first_pause: Duration::from_millis(500),
            silence: Duration::from_secs(30),
        }
    }
}

/// A secret that goes to one server and to no other.
#[derive(Clone)]
pub(super) struct Token {
    /// Scheme, host and port of that server.
    pub(super) origin: Origin,
    pub(super) value: String,
}

/// Makes requests.
pub(super) struct Client {
    /// Goes through the proxy of the environment, if there is one.
    agent: Agent,
    /// Goes straight to this machine.
    direct: Agent,
    token: Option<Token>,
    pub(super) limits: Limits,
}

/// Why there is no answer.
pub(super) enum Failure {
    /// It may go better the next time, after so long if the server told.
    Passing(String, Option<Duration>),
    /// It will not.
    Lasting(HubError),
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        Self::Lasting(error)
    }
}

/// An answer whose body has not been read.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Headers of the last answer, which has the body.
    pub(super) headers: HeaderMap,
    /// Headers of the first answer, before it led on.
    pub(super) first: HeaderMap,
    pub(super) body: Box<dyn Read + Send>,
}

impl Answer {
    /// A header as text.
    pub(super) fn header(&self, name: impl Into<HeaderName>) -> Option<&str> {
        text(&self.headers, name.into())
    }

    /// A header that the server that was asked gave with its first answer.
    pub(super) fn first_header(&self, name: &'static str) -> Option<&str> {
        text(&self.first, HeaderName::from_static(name))
    }

    /// How long the server asks to be left in peace.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header(RETRY_AFTER)?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The rest of a file that is here in part.
pub(super) struct Rest<'a> {
    /// The first byte that is missing.
    pub(super) from: u64,
    /// What the server called the version of which a part is here.
    pub(super) validator: &'a str,
}

impl Client {
    /// A client for these limits; `token` goes to the server that it belongs to.
    pub(super) fn new(limits: Limits, token: Option<Token>) -> Self {
        let tls = TlsConfig::builder().root_certs(roots()).build();
        let config = || {
            Agent::config_builder()
                .tls_config(tls.clone())
                .user_agent(USER_AGENT)
                .accept_encoding("identity")
                .http_status_as_error(false)
                .max_redirects(0)
                .timeout_resolve(Some(limits.silence))
                .timeout_connect(Some(limits.silence))
                .timeout_recv_response(Some(limits.silence))
                .timeout_per_read(Some(limits.silence))
                .timeout_per_write(Some(limits.silence))
        };
        Self { agent: config().build().into(), direct: config().proxy(None).build().into(), token, limits }
    }

    /// Asks for a file or for its rest, and follows where the answer leads. The token goes to its own server only, and
    /// nothing goes from https to http.
    pub(super) fn get(&self, url: &Url, rest: Option<&Rest<'_>>) -> Result<Answer, Failure> {
        let (mut at, mut first) = (url.clone(), None);
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.request(&at, rest)?;
            let (parts, body) = answer.into_parts();
            let leads_on = matches!(parts.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let location = leads_on.then(|| text(&parts.headers, LOCATION)).flatten();
            match location {
                Some(location) => {
                    at = next(url, &at, location)?;
                    first.get_or_insert(parts.headers);
                }
                None => {
                    let first = first.unwrap_or_else(|| parts.headers.clone());
                    let body = Box::new(body.into_reader());
                    return Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, first, body });
                }
            }
        }
        Err(refused(url, at.as_str(), "it leads on too often").into())
    }

    fn request(&self, url: &Url, rest: Option<&Rest<'_>>) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let agent = if is_this_machine(url) { &self.direct } else { &self.agent };
        let mut request = agent.get(url.as_str());
        if let Some(token) = self.token.as_ref().filter(|token| token.origin == url.origin()) {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.value));
        }
        if let Some(Rest { from, validator }) = rest {
            request = request.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, *validator);
        }
        request.call().map_err(|error| failure(url, &error))
    }
}

/// Where an answer leads.
fn next(asked: &Url, at: &Url, location: &str) -> Result<Url, HubError> {
    let next = at.join(location).map_err(|_| refused(asked, location, "that is no address"))?;
    match (at.scheme(), next.scheme()) {
        ("https", "http") => Err(refused(asked, location, "that is not encrypted")),
        (_, "http" | "https") => Ok(next),
        _ => Err(refused(asked, location, "that is neither https:// nor http://")),
    }
}

fn refused(url: &Url, location: &str, reason: &'static str) -> HubError {
    HubError::Redirect { url: shown(url), location: location.to_owned(), reason }
}

fn failure(url: &Url, error: &ureq::Error) -> Failure {
    let reason = error.to_string();
    match error {
        ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) => {
            Failure::Passing(reason, None)
        }
        _ => Failure::Lasting(HubError::Unreachable { url: shown(url), reason }),
    }
}

/// The certificates of the system; where it has none, as in a bare container, those of Mozilla that came with the
/// program.
fn roots() -> RootCerts {
    let system = rustls_native_certs::load_native_certs().certs;
    if system.is_empty() {
        return RootCerts::WebPki;
    }
    let system: Vec<_> = system.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    RootCerts::new_with_certs(&system)
}

/// Whether an address is one of this machine, to which no proxy leads.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// An address as it may be shown: without a password and without what may be a signature.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn this_machine_is_known_by_every_name() {
        for here in ["http://127.0.0.1:80/", "http://127.9.9.9/", "http://[::1]:8080/", "https://localhost/"] {
            assert!(is_this_machine(&url(here)), "{here}");
        }
        for there in ["http://192.168.0.1/", "https://huggingface.co/", "http://localhost.example.org/"] {
            assert!(!is_this_machine(&url(there)), "{there}");
        }
    }

    #[test]
    fn an_answer_leads_on_but_not_astray() {
        let next = |at: &str, location: &str| next(&url(at), &url(at), location).map(String::from);
        assert_eq!(next("https://a.org/x/y", "/z").unwrap(), "https://a.org/z");
        assert_eq!(next("http://a.org/x", "https://b.org/").unwrap(), "https://b.org/");
        for (at, location) in [("https://a.org/", "http://a.org/"), ("http://a.org/", "file:///etc/passwd")] {
            assert!(next(at, location).is_err(), "{location}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = shown(&url("https://user:password@a.org/m.zip?X-Amz-Signature=abc#part"));
        assert_eq!(shown, "https://a.org/m.zip");
    }
}
