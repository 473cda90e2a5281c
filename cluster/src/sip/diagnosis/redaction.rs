//! Messages as they may be shown: without numbers and names, and never with what proves a password.

/// A message's head, line by line, with what is private left out. `all` leaves in what is no secret: numbers, names,
/// addresses of record. The answer to a challenge stays out always.
#[must_use]
pub fn redacted(message: &[u8], all: bool) -> Vec<String> {
    let text = String::from_utf8_lossy(message);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().map(|line| line_of(line, all)).collect()
}

fn line_of(line: &str, all: bool) -> String {
    let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let proves = matches!(name.as_str(), "authorization" | "proxy-authorization");
    if proves {
        let realm = quoted(line, "realm").unwrap_or_default();
        let algorithm = line.split("algorithm=").nth(1).and_then(|rest| rest.split([',', ' ']).next());
        let algorithm = algorithm.map(|algorithm| format!(", algorithm={algorithm}")).unwrap_or_default();
        let name = line.split(':').next().unwrap_or_default();
        return format!("{name}: Digest username=…, realm=\"{realm}\"{algorithm}, response=…");
    }
    if all { line.to_owned() } else { without_users(&without_display(line, &name)) }
}

fn quoted(line: &str, name: &str) -> Option<String> {
    let rest = line.split(&format!("{name}=\"")).nth(1)?;
    Some(rest.split('"').next()?.to_owned())
}

/// The name of a person before an address.
fn without_display(line: &str, name: &str) -> String {
    let has_person = matches!(
        name,
        "from"
            | "f"
            | "to"
            | "t"
            | "contact"
            | "m"
            | "p-asserted-identity"
            | "p-preferred-identity"
            | "remote-party-id"
    );
    match (has_person, line.split_once(": "), line.split_once('<')) {
        (true, Some((name, rest)), Some((_, address))) if rest.contains('<') => format!("{name}: <{address}"),
        _ => line.to_owned(),
    }
}

/// The user of every SIP or telephone URI.
fn without_users(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((at, scheme)) = ["sips:", "sip:", "tel:"]
        .into_iter()
        .filter_map(|scheme| Some((rest.find(scheme)?, scheme)))
        .min_by_key(|(at, scheme)| (*at, usize::MAX - scheme.len()))
    {
        let (before, after) = rest.split_at(at + scheme.len());
        kept.push_str(before);
        let end = after.find(['>', ' ', ',', '"']).unwrap_or(after.len());
        let (uri, left) = after.split_at(end);
        match (scheme, uri.rsplit_once('@')) {
            ("tel:", _) => kept.push('…'),
            (_, Some((_, host))) => {
                kept.push_str("…@");
                kept.push_str(host);
            }
            _ => kept.push_str(uri),
        }
        rest = left;
    }
    kept.push_str(rest);
    kept
}
