//! Where certificates may be fetched from.

use reqwest::Url;

/// The port of HTTPS.
const PORT: u16 = 443;

/// The URL, where it is by HTTPS and of one of these hosts.
pub(super) fn allowed(url: &str, hosts: &[String]) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    if url.scheme() != "https" || !plain {
        return None;
    }
    let host = url.host_str()?.to_ascii_lowercase();
    let port = url.port().unwrap_or(PORT);
    let is_named = |named: &String| {
        let (name, named_port) = named
            .rsplit_once(':')
            .and_then(|(name, port)| Some((name, port.parse().ok()?)))
            .unwrap_or((named.as_str(), PORT));
        let name = name.to_ascii_lowercase();
        let below = name.starts_with('.') && host.ends_with(&name) && host.len() > name.len();
        port == named_port && (host == name || below)
    };
    hosts.iter().any(is_named).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn only_named_hosts_are_asked_and_only_by_https() {
        let hosts = ["cert.example.org", ".example.net", "127.0.0.1:8443"].map(str::to_owned);
        for (url, is_allowed) in [
            ("https://cert.example.org/a.pem", true),
            ("https://CERT.example.org:443/a.pem?x=y", true),
            ("https://a.b.example.net/a.pem", true),
            ("https://127.0.0.1:8443/a.pem", true),
            ("http://cert.example.org/a.pem", false),
            ("https://cert.example.org:8443/a.pem", false),
            ("https://example.net/a.pem", false),
            ("https://evilexample.net/a.pem", false),
            ("https://cert.example.org.evil.example/a.pem", false),
            ("https://cert.example.org@evil.example/a.pem", false),
            ("https://user@cert.example.org/a.pem", false),
            ("https://127.0.0.1/a.pem", false),
            ("https://169.254.169.254/latest", false),
            ("https://2130706433:8443/a.pem", true),
            ("file:///etc/passwd", false),
            ("", false),
        ] {
            // The odd one is the same address written as one number: what counts is who is asked.
            assert_eq!(allowed(url, &hosts).is_some(), is_allowed, "{url}");
        }
        assert!(allowed("https://cert.example.org/a.pem", &[]).is_none());
    }
}
