//! Why there is no session with the cluster, and what to do about it.

use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind as Setup, DbError, MetadataError,
    NewSessionError,
};

use super::settings::Settings;

/// What whoever runs the node does, worded after what went wrong.
pub(super) fn remedy(error: &NewSessionError, settings: &Settings) -> String {
    match connection(error) {
        Some(ConnectionError::ConnectionSetupRequestError(setup)) => match setup.get_error() {
            Setup::MissingAuthentication => {
                "it wants a user and a password: set scylla.credentials".to_owned()
            }
            Setup::DbError(DbError::AuthenticationError, _) => format!(
                "it does not let the user {} in: check scylla.credentials",
                settings.credentials.as_ref().map_or("-", |credentials| credentials.user.as_str())
            ),
            Setup::BrokenConnection(_) => closed(settings),
            _ => addresses(),
        },
        Some(ConnectionError::BrokenConnection(_)) => closed(settings),
        Some(ConnectionError::IoError(error)) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match (inner, &settings.tls) {
                (Some(rustls::Error::InvalidCertificate(_)), Some(tls)) => format!(
                    "its certificate is not signed by any in {}, or is for another address, or is over: check \
                     scylla.tls.authorities and the cluster's certificate",
                    tls.authorities.display()
                ),
                (Some(rustls::Error::InvalidMessage(_)), _) => {
                    "it does not speak TLS there: check the port, or leave scylla.tls out".to_owned()
                }
                (None, _) if error.kind() != std::io::ErrorKind::ConnectionRefused => closed(settings),
                _ => addresses(),
            }
        }
        _ => addresses(),
    }
}

fn addresses() -> String {
    "check scylla.contact_points and that it runs".to_owned()
}

/// It hung up. A server that wants TLS does so to whoever speaks without, and the other way round.
fn closed(settings: &Settings) -> String {
    let tls = if settings.tls.is_some() { "does not want TLS" } else { "wants TLS" };
    format!("{}, and whether it {tls} (scylla.tls)", addresses())
}

/// What became of the last try to connect.
fn connection(error: &NewSessionError) -> Option<&ConnectionError> {
    match error {
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(ConnectionPoolError::Broken {
            last_connection_error,
        })) => Some(last_connection_error),
        _ => None,
    }
}
