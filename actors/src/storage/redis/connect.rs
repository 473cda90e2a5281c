//! The client as the settings want it: nothing without a bound, and nothing repeated behind our back.

use std::time::Duration;

use fred::clients::Client;
use fred::types::RespVersion;
use fred::types::config::{
    Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, ServerConfig, TcpConfig, TlsConnector,
    UnresponsiveConfig,
};
use rustls::ClientConfig;

use crate::clock::ms;
use crate::storage::coordination::{Misconfigured, Settings};
use crate::storage::trust;

/// How often within the time that a connection may be unresponsive it is looked at.
const LOOKS: u32 = 5;

/// Reads the address and adds to it what it may not hold.
///
/// # Errors
/// What is wrong with the settings, without showing them.
pub(super) fn config(settings: &Settings) -> Result<Config, Misconfigured> {
    let wrong = |key, why: &str| Misconfigured { key, why: why.to_owned() };
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.:".contains(character);
    if settings.prefix.is_empty() || !settings.prefix.chars().all(plain) {
        return Err(wrong("prefix", "use letters, digits, and any of - _ . : only"));
    }
    let authority = settings.url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') || settings.url.contains("sentinelPassword") {
        let why = "it holds a password or a user; write these into coordination.password, .username, \
                   .sentinel_password and .sentinel_username";
        return Err(wrong("url", why));
    }
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let no_address = || {
        let why = "it is no address of a Redis or Valkey server; write \"local\", or one such as \
                   redis://host:6379 or redis-sentinel://host:26379?sentinelServiceName=name";
        wrong("url", why)
    };
    let schemes = ["redis", "rediss", "valkey", "valkeys"];
    let scheme = settings.url.split(['-', ':']).next().unwrap_or_default();
    if !schemes.contains(&scheme) {
        return Err(no_address());
    }
    let mut config = match &settings.authorities {
        // The client would trust whom the machine trusts.
        Some(path) if scheme.ends_with('s') => {
            let plain = settings.url.replacen(scheme, scheme.trim_end_matches('s'), 1);
            let mut config = Config::from_url(&plain).map_err(|_| no_address())?;
            let trusted = trust::authorities(path);
            let trusted = trusted.map_err(|why| Misconfigured { key: "authorities", why })?;
            config.tls = Some(TlsConnector::from(ClientConfig::clone(&trusted)).into());
            config
        }
        Some(_) => {
            let why = "the address is one without TLS; write rediss://… or leave authorities out";
            return Err(wrong("authorities", why));
        }
        None => Config::from_url(&settings.url).map_err(|_| no_address())?,
    };
    config.username = given(&settings.username);
    config.password = given(settings.password.reveal());
    if let ServerConfig::Sentinel { username, password, .. } = &mut config.server {
        (*username, *password) =
            (given(&settings.sentinel_username), given(settings.sentinel_password.reveal()));
    }
    // A node starts while the server is away.
    config.fail_fast = false;
    Ok(config)
}

/// A client that is not connected yet.
pub(super) fn client(config: &Config, settings: &Settings, version: RespVersion) -> Client {
    let unresponsive = ms(settings.unresponsive_ms);
    let connection = ConnectionConfig {
        connection_timeout: ms(settings.connect_ms),
        internal_command_timeout: ms(settings.connect_ms),
        max_command_attempts: 1,
        // The client's own bound must stay off: its wish to reconnect would wait in the same full queue.
        max_command_buffer_len: 0,
        reconnect_on_auth_error: true,
        unresponsive: UnresponsiveConfig {
            max_timeout: Some(unresponsive),
            interval: (unresponsive / LOOKS).max(Duration::from_millis(1)),
        },
        tcp: TcpConfig { nodelay: Some(true), ..TcpConfig::default() },
        ..ConnectionConfig::default()
    };
    let performance = PerformanceConfig {
        default_command_timeout: ms(settings.command_ms.max(1)),
        broadcast_channel_capacity: settings.hints_waiting_max.max(1),
        ..PerformanceConfig::default()
    };
    let (least, most) = (settings.reconnect_ms.max(1), settings.reconnect_max_ms.max(1));
    let mut policy = ReconnectPolicy::new_exponential(0, least, most, 2);
    policy.set_jitter(least);
    let mut config = Config { version, ..config.clone() };
    if config.version == RespVersion::RESP3 {
        say_in_words(&mut config);
    }
    Client::new(config, Some(performance), Some(connection), Some(policy))
}

/// The client greets a server of RESP3 in one line of words (HELLO as an inline command): a name or a password that
/// is more than one word there is put in quotes.
fn say_in_words(config: &mut Config) {
    let quote = |text: &mut Option<String>| *text = text.take().map(|text| quoted(&text));
    quote(&mut config.username);
    quote(&mut config.password);
    if let ServerConfig::Sentinel { username, password, .. } = &mut config.server {
        quote(username);
        quote(password);
    }
}

/// A word as the server reads it (`sdssplitargs` of the Redis source, `sds.c`).
fn quoted(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte)) {
        return text.to_owned();
    }
    let escaped: String = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str) -> Result<ServerConfig, String> {
        let settings = Settings { url: url.to_owned(), ..Settings::default() };
        config(&settings).map(|config| config.server).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_server_is_told_by_its_address() {
        for url in ["redis://127.0.0.1:1", "valkey://a", "rediss://a:2"] {
            assert!(matches!(told(url), Ok(ServerConfig::Centralized { .. })), "{url}");
        }
        for url in ["redis-cluster://a:1?node=b:2&node=c:3", "valkey-cluster://a:1"] {
            assert!(matches!(told(url), Ok(ServerConfig::Clustered { .. })), "{url}");
        }
        let sentinel = told("redis-sentinel://a:1?node=b:2&sentinelServiceName=calls");
        assert!(matches!(sentinel, Ok(ServerConfig::Sentinel { .. })), "{sentinel:?}");
    }

    #[test]
    fn what_can_t_be_an_address_is_refused_and_not_shown() {
        for url in ["", "redis", "http://a", "redis-sentinel://a:1", "redis://a:port"] {
            let error = told(url).expect_err(url);
            assert!(error.starts_with("coordination.url can't be used: it is no address"), "{url}: {error}");
        }
        for url in [
            "redis://:hunter2@a",
            "redis://me@a/1",
            "redis-sentinel://a?sentinelServiceName=b&sentinelPassword=hunter2",
        ] {
            let error = told(url).expect_err(url);
            assert!(error.contains("coordination.password") && !error.contains("hunter2"), "{error}");
        }
        let settings =
            Settings { url: "redis://a".to_owned(), prefix: "{a}".to_owned(), ..Settings::default() };
        assert_eq!(config(&settings).expect_err("braces").key, "prefix");
    }

    #[test]
    fn a_password_of_several_words_is_one_where_words_are_said() {
        assert_eq!(quoted("hunter2-_$%"), "hunter2-_$%");
        assert_eq!(quoted("a b"), "\"\\x61\\x20\\x62\"");
        assert_eq!(quoted("\r\n"), "\"\\x0d\\x0a\"");
        let settings = Settings {
            url: "redis-sentinel://a:1?sentinelServiceName=calls".to_owned(),
            password: "a b".into(),
            sentinel_password: "\"".into(),
            ..Settings::default()
        };
        let mut config = config(&settings).expect("read");
        say_in_words(&mut config);
        assert_eq!(config.password, Some(quoted("a b")));
        let ServerConfig::Sentinel { password, .. } = config.server else { panic!("a sentinel") };
        assert_eq!(password.as_deref(), Some("\"\\x22\""));
    }

    #[test]
    fn passwords_of_servers_and_sentinels_are_told_apart() {
        let settings = Settings {
            url: "redis-sentinel://a:1?sentinelServiceName=calls".to_owned(),
            username: "node".to_owned(),
            password: "one".into(),
            sentinel_password: "two".into(),
            ..Settings::default()
        };
        let config = config(&settings).expect("read");
        assert_eq!((config.username.as_deref(), config.password.as_deref()), (Some("node"), Some("one")));
        let ServerConfig::Sentinel { username, password, .. } = config.server else { panic!("a sentinel") };
        assert_eq!((username, password.as_deref()), (None, Some("two")));
    }
}
