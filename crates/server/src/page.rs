//! The page: static files inside the program.

/// What the page may load and do: nothing but this service's own files and answers.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

macro_rules! assets {
    ($($name:literal $content_type:literal),* $(,)?) => {
        &[$(Asset { name: $name, content_type: $content_type, bytes: include_bytes!(concat!("page/", $name)) }),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";

/// The page itself.
pub(crate) const INDEX: Asset =
    Asset { name: "index.html", content_type: HTML, bytes: include_bytes!("page/index.html") };

/// What it loads.
pub(crate) const ASSETS: &[Asset] = assets![
    "about.js" "text/javascript; charset=utf-8",
    "api.js" "text/javascript; charset=utf-8",
    "bars.js" "text/javascript; charset=utf-8",
    "columns.js" "text/javascript; charset=utf-8",
    "corrections.js" "text/javascript; charset=utf-8",
    "dom.js" "text/javascript; charset=utf-8",
    "favicon.svg" "image/svg+xml",
    "files.js" "text/javascript; charset=utf-8",
    "format.js" "text/javascript; charset=utf-8",
    "key.js" "text/javascript; charset=utf-8",
    "link.js" "text/javascript; charset=utf-8",
    "live.js" "text/javascript; charset=utf-8",
    "main.js" "text/javascript; charset=utf-8",
    "markdown.js" "text/javascript; charset=utf-8",
    "notice.js" "text/javascript; charset=utf-8",
    "pieces.js" "text/javascript; charset=utf-8",
    "store.js" "text/javascript; charset=utf-8",
    "style.css" "text/css; charset=utf-8",
    "theme.js" "text/javascript; charset=utf-8",
    "words.js" "text/javascript; charset=utf-8",
];
