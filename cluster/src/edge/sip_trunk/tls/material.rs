//! Certificates and keys, from files to configurations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::super::Error;
use super::Settings;

/// What we show. The key has to be the certificate's.
pub(super) fn server(settings: &Settings) -> Result<Arc<ServerConfig>, Error> {
    let certificate_file = named(settings.certificate_file.as_ref(), "sip.secure.certificate_file")?;
    let key_file = named(settings.key_file.as_ref(), "sip.secure.key_file")?;
    let chain = certificates(certificate_file)?;
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|why| unusable(key_file, &why))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| unusable(certificate_file, &why))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|why| unusable(certificate_file, &why))?;
    Ok(Arc::new(config))
}

/// Whom we believe.
pub(in super::super) fn client(settings: &Settings) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    match &settings.trust_file {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|why| unusable(file, &why))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            // A system without any makes every connection fail, and each says why.
            roots.add_parsable_certificates(found.certs);
        }
    }
    let file = settings.trust_file.clone().unwrap_or_default();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| unusable(&file, &why))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(file).map_err(|why| unusable(file, &why))?.collect();
    let all = all.map_err(|why| unusable(file, &why))?;
    if all.is_empty() {
        return Err(unusable(file, &"there is no certificate in it"));
    }
    Ok(all)
}

fn named<'a>(file: Option<&'a PathBuf>, setting: &'static str) -> Result<&'a Path, Error> {
    file.map(PathBuf::as_path)
        .ok_or(Error::Setting { setting, mend: "name a PEM file; sip.tls can't listen without it" })
}

fn unusable(file: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Certificate { file: file.to_owned(), why: why.to_string() }
}
