//! Who may be talked to, and how: certificates on both sides, or plain text on this machine.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity, Uri};

use super::{Certificates, NAME, Settings};
use crate::Error;

/// The material of both sides.
struct Material {
    certificate: Vec<u8>,
    key: Vec<u8>,
    trust: Vec<u8>,
}

impl Certificates {
    /// The files' contents; none where no file is named.
    fn read(&self) -> Result<Option<Material>, Error> {
        let files = [&self.certificate_file, &self.key_file, &self.trust_file];
        if files.iter().all(|file| file.is_none()) {
            return Ok(None);
        }
        let [certificate, key, trust] = files;
        let certificate = read(certificate.as_ref(), "certificate_file")?;
        let key = read(key.as_ref(), "key_file")?;
        let trust = read(trust.as_ref(), "trust_file")?;
        Ok(Some(Material { certificate, key, trust }))
    }
}

fn read(file: Option<&PathBuf>, key: &str) -> Result<Vec<u8>, Error> {
    let missing =
        || unusable(format!("inference.certificates.{key} is not set"), "name all three files, or none");
    let file: &Path = file.ok_or_else(missing)?;
    std::fs::read(file)
        .map_err(|why| unusable(format!("{} can't be read: {why}", file.display()), "name a PEM file"))
}

fn unusable(why: String, mend: &str) -> Error {
    Error::Unavailable { engine: NAME, why, mend: mend.to_owned() }
}

/// What the server shows and demands; none for plain text.
pub(super) fn server(settings: &Settings, listen: SocketAddr) -> Result<Option<Arc<ServerConfig>>, Error> {
    match settings.certificates.read()? {
        Some(material) => shown(&material).map(Some),
        None if listen.ip().is_loopback() || settings.plaintext_beyond_this_machine => Ok(None),
        None => Err(unusable(
            format!("inference.listen = \"{listen}\" is open to other machines without certificates"),
            "set inference.certificates, listen on 127.0.0.1, or set inference.plaintext_beyond_this_machine",
        )),
    }
}

/// What is shown to those who connect, who show a certificate, too.
fn shown(material: &Material) -> Result<Arc<ServerConfig>, Error> {
    let wrong = |why: &dyn std::fmt::Display| {
        unusable(
            format!("the certificates can't be used: {why}"),
            "name PEM files that belong together in inference.certificates",
        )
    };
    let certificates = |pem: &[u8]| {
        CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|why| wrong(&why))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&material.trust)? {
        roots.add(certificate).map_err(|why| wrong(&why))?;
    }
    let key = PrivateKeyDer::from_pem_slice(&material.key).map_err(|why| wrong(&why))?;
    let provider = Arc::new(default_provider());
    let believed = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| wrong(&why))?
        .with_client_cert_verifier(believed.build().map_err(|why| wrong(&why))?)
        .with_single_cert(certificates(&material.certificate)?, key)
        .map_err(|why| wrong(&why))?;
    config.alpn_protocols.push(b"h2".to_vec());
    Ok(Arc::new(config))
}

/// The endpoint of one node, with its security.
pub(super) fn endpoint(settings: &Settings, node: &str) -> Result<Endpoint, Error> {
    let wrong = |why: &dyn std::fmt::Display| {
        unusable(
            format!("inference.nodes has \"{node}\": {why}"),
            "write it as https://host:port, or http://127.0.0.1:port",
        )
    };
    let uri: Uri = node.parse().map_err(|why| wrong(&why))?;
    let host = uri.host().ok_or_else(|| wrong(&"it names no host"))?.to_owned();
    let connect = Duration::from_millis(settings.client.connect_ms);
    let endpoint = Endpoint::from(uri.clone()).connect_timeout(connect);
    match uri.scheme_str() {
        Some("https") => {
            let material = settings.certificates.read()?.ok_or_else(|| {
                unusable(
                    format!("inference.nodes has \"{node}\" and no certificates are named"),
                    "set inference.certificates",
                )
            })?;
            let tls = ClientTlsConfig::new()
                .identity(Identity::from_pem(material.certificate, material.key))
                .ca_certificate(Certificate::from_pem(material.trust))
                .domain_name(host.trim_matches(['[', ']']))
                .timeout(connect);
            endpoint.tls_config(tls).map_err(|why| wrong(&deepest(&why)))
        }
        Some("http") if is_this_machine(&host) || settings.plaintext_beyond_this_machine => Ok(endpoint),
        Some("http") => Err(wrong(&"it would send callers' words to another machine in plain text")),
        _ => Err(wrong(&"it has no scheme that is known")),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// What a chain of errors ends with, which is what a person can mend.
pub(super) fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings: &Settings, node: &str) -> String {
        endpoint(settings, node).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn plain_text_stays_on_this_machine_unless_it_is_said_otherwise() {
        let mut settings = Settings::default();
        for node in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            assert_eq!(told(&settings, node), "");
        }
        assert!(told(&settings, "http://192.0.2.1:1").contains("in plain text"));
        assert!(told(&settings, "https://192.0.2.1:1").contains("no certificates are named"));
        assert!(told(&settings, "192.0.2.1").contains("inference.nodes has \"192.0.2.1\""));
        let beyond: SocketAddr = "0.0.0.0:0".parse().expect("an address");
        let refused = server(&settings, beyond).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("plaintext_beyond_this_machine"), "{refused}");
        settings.plaintext_beyond_this_machine = true;
        assert!(matches!(server(&settings, beyond), Ok(None)));
        assert_eq!(told(&settings, "http://192.0.2.1:1"), "");
    }

    #[test]
    fn half_a_set_of_files_is_a_mistake_that_is_named() {
        let certificates =
            Certificates { certificate_file: Some("/nowhere.pem".into()), ..Certificates::default() };
        let settings = Settings { certificates, ..Settings::default() };
        let told = told(&settings, "https://localhost:1");
        assert!(told.contains("/nowhere.pem can't be read"), "{told}");
    }
}
