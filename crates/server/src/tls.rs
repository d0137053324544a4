//! Certificates and keys from PEM files.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::error::ServerError;
use crate::settings::TlsFiles;

/// What accepts TLS connections with these files.
///
/// # Errors
/// When a file cannot be read, or certificate and key do not fit each other.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServerError> {
    let error = |path: &Path, reason: String| ServerError::Tls { path: path.to_owned(), reason };
    let of_certificate = |reason: &dyn ToString| error(&files.certificate, reason.to_string());
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(|e| of_certificate(&e))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|e| of_certificate(&e))?;
    if chain.is_empty() {
        return Err(of_certificate(&"it holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| error(&files.key, e.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| error(&files.key, e.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
