//! What is wrong with a TLS connection that was not made.

use std::io;

use rustls::{CertificateError, Error};

use crate::sip::diagnosis::{Certificate, Happened};

/// Why the handshake failed.
pub(super) fn fault(error: &io::Error, wanted: &str) -> Happened {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    let Some(cause) = cause else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                Happened::NoTls { why: "the connection was closed in the handshake".to_owned() }
            }
            _ => Happened::NoTls { why: error.to_string() },
        };
    };
    let Error::InvalidCertificate(certificate) = cause else {
        return Happened::NoTls { why: cause.to_string() };
    };
    Happened::Certificate(match certificate {
        CertificateError::NotValidForName => {
            Certificate::OtherName { wanted: wanted.to_owned(), names: Vec::new() }
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            Certificate::OtherName { wanted: wanted.to_owned(), names: presented.clone() }
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Certificate::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Certificate::NotYet,
        // One that has the name of somebody whom we believe, and not the signature, is somebody else.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Certificate::UnknownIssuer,
        other => Certificate::Other { why: other.to_string() },
    })
}
