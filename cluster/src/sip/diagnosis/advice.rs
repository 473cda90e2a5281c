//! What each outcome means. The words are for somebody who runs a node and not for somebody who knows SIP.

use super::super::destination::Transport;
use super::super::proof::Unprovable;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// To find the provider's servers.
    Find,
    /// To connect to one.
    Connect(Transport),
    /// To ask it whether it is there.
    Options,
    /// To ask it, with the account, what is registered.
    Register,
    /// To call a number.
    Call,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It worked.
    Worked,
    /// The name has no servers; or no name server answers.
    NotFound {
        /// No name server answers.
        unanswered: bool,
    },
    /// Nobody listens there.
    Refused,
    /// Nothing came back.
    Silent,
    /// The network says that there is no way.
    NoWay {
        /// What it says.
        why: String,
    },
    /// The connection was closed.
    Closed,
    /// The certificate is not one that we believe.
    Certificate(Certificate),
    /// What answers does not speak TLS, or none that we speak.
    NoTls {
        /// What was wrong.
        why: String,
    },
    /// A final answer.
    Answered {
        /// The status.
        status: u16,
        /// What it says.
        phrase: String,
        /// The Warning or Reason header, where there is one.
        warning: Option<String>,
        /// The Retry-After, in seconds.
        retry_after_s: Option<u32>,
    },
    /// A challenge that could not be answered for.
    Unprovable {
        /// The status: 401, 407.
        status: u16,
        /// Why.
        why: Unprovable,
    },
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// It is for other names.
    OtherName {
        /// The name that it has to be for.
        wanted: String,
        /// Those that it is for.
        names: Vec<String>,
    },
    /// It is too old.
    Expired,
    /// It is not valid yet.
    NotYet,
    /// Nobody whom we believe vouches for it.
    UnknownIssuer,
    /// Something else.
    Other {
        /// What.
        why: String,
    },
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// Whether it worked.
    pub works: bool,
    /// What happened.
    pub what: String,
    /// What to change; empty where nothing is.
    pub change: String,
}

fn works(what: impl Into<String>) -> Advice {
    Advice { works: true, what: what.into(), change: String::new() }
}

fn broken(what: impl Into<String>, change: impl Into<String>) -> Advice {
    Advice { works: false, what: what.into(), change: change.into() }
}

/// What an outcome means.
#[must_use]
pub fn advise(step: Step, happened: &Happened) -> Advice {
    match happened {
        Happened::Worked => works("it works"),
        Happened::NotFound { unanswered: true } => broken(
            "no name server answers",
            "check this machine's DNS (/etc/resolv.conf, a firewall on port 53), or name servers in sip.names.servers",
        ),
        Happened::NotFound { unanswered: false } => broken(
            "the name leads nowhere",
            "check the spelling of account.server; ask the provider for its SIP server's name",
        ),
        Happened::Refused => broken(
            "nobody listens there: the connection was refused",
            "check the port and the transport in account.server (5060 for udp and tcp, 5061 for tls)",
        ),
        Happened::Silent => silent(step),
        Happened::NoWay { why } => broken(
            format!("there is no way there: {why}"),
            "check this machine's network and routes, and whether it has the address family (IPv4, IPv6) of the server",
        ),
        Happened::Closed => broken(
            "the connection was closed without an answer",
            "the server may want TLS here (;transport=tls), or does not take connections from our address; ask the \
             provider which addresses it takes",
        ),
        Happened::NoTls { why } => broken(
            format!("no TLS there: {why}"),
            "use the port for TLS (5061 as a rule), or another transport if the provider has no TLS",
        ),
        Happened::Certificate(certificate) => of_certificate(certificate),
        Happened::Unprovable { status, why } => of_password(*status, why),
        Happened::Answered { status, phrase, warning, retry_after_s } => {
            let said = match warning {
                Some(warning) => format!("it answers {status} {phrase} ({warning})"),
                None => format!("it answers {status} {phrase}"),
            };
            of_status(step, *status, said, *retry_after_s)
        }
    }
}

fn silent(step: Step) -> Advice {
    let change = match step {
        Step::Connect(_) => {
            "a firewall drops the connection, or the address is wrong: allow it outwards, and ask the provider whether \
             it takes connections from our address"
        }
        Step::Call => {
            "a server that answers OPTIONS and no INVITE drops large datagrams (use ;transport=tcp) or calls from \
             accounts that it does not know"
        }
        _ => {
            "a firewall drops the datagrams or their answers, the port is wrong, or the provider does not answer \
             addresses that it does not know: allow UDP both ways, try ;transport=tcp, and tell the provider our address"
        }
    };
    broken("nothing came back", change)
}

fn of_certificate(certificate: &Certificate) -> Advice {
    match certificate {
        Certificate::OtherName { wanted, names } => {
            let names = if names.is_empty() { "other names".to_owned() } else { names.join(", ") };
            broken(
                format!("the certificate is for {names}, and not for {wanted}"),
                "write a name that the certificate is for into account.server; an address needs a certificate for the \
                 address",
            )
        }
        Certificate::Expired => broken(
            "the certificate has expired",
            "the provider has to renew it; if it has, check this machine's clock",
        ),
        Certificate::NotYet => broken(
            "the certificate is not valid yet",
            "check this machine's clock; else the provider has to correct it",
        ),
        Certificate::UnknownIssuer => broken(
            "nobody whom this machine believes vouches for the certificate",
            "put the provider's CA certificate into a file and name it in sip.secure.trust_file, or update this \
             machine's ca-certificates",
        ),
        Certificate::Other { why } => broken(
            format!("the certificate can't be believed: {why}"),
            "ask the provider about its certificate",
        ),
    }
}

fn of_password(status: u16, why: &Unprovable) -> Advice {
    let change = match why {
        Unprovable::Wrong { realm } => format!(
            "the user or the password is wrong: check account.user (and account.login, where the password goes with \
             another name) and the password; set account.realm = \"{realm}\" once it works"
        ),
        Unprovable::OtherRealm { realm } => {
            format!("set account.realm = \"{realm}\" if that is the provider, or leave account.realm out")
        }
        Unprovable::Stale { .. } => {
            "the server does not keep its own nonces, as several behind one address do: ask the provider, or name one \
             server in account.server"
                .to_owned()
        }
        Unprovable::NoChallenge => {
            "it may want Basic or a hash that nobody should use any more, or a proxy on the way took the challenge out; \
             ask the provider for Digest with MD5, SHA-256 or SHA-512-256"
                .to_owned()
        }
    };
    broken(format!("it answers {status}: {why}"), change)
}

fn of_status(step: Step, status: u16, said: String, retry_after_s: Option<u32>) -> Advice {
    let change = match (step, status) {
        (Step::Options, 200..=299) | (Step::Register, 200..=299) | (Step::Call, 180..=299) => {
            return works(said);
        }
        // Whoever answers an OPTIONS at all is there.
        (Step::Options, 401 | 403 | 404 | 405 | 407 | 480 | 481 | 486 | 501) => {
            return works(format!("{said}: it is there, and that is all an OPTIONS asks"));
        }
        (Step::Call, 486 | 600) => {
            return works(format!("{said}: the call got there, and the number is busy"));
        }
        (Step::Call, 603 | 607) => return works(format!("{said}: the call got there, and was declined")),
        (_, 300..=399) => "it wants to be asked elsewhere: write that server into account.server",
        (_, 401 | 407) => "give the trunk an account with a password: [sip.trunk.account]",
        (_, 402) => "the account has no credit: see the provider's pages",
        (Step::Register, 403) => {
            "the account may not register, from our address or at all: check account.user, tell the provider our address, \
             and see whether it locks accounts after wrong passwords"
        }
        (_, 403) => {
            "the account may not make this call: check the number's form (+44… or 0044…), the caller's number that is \
             shown (account.identity) and what countries the provider allows"
        }
        (Step::Register, 404) => {
            "it does not know the account: check account.user, account.identity and account.server"
        }
        (_, 404) => "it does not know the number: try its other form (+44…, 44…, 0…)",
        (Step::Register, 405 | 501) => {
            "it takes no registrations: set account.register = false and have the provider allow our address"
        }
        (_, 405 | 501) => "it does not do that: nothing to change here if calls work",
        (_, 408) => {
            "something behind the provider's server does not answer it: try again, then ask the provider; behind NAT set \
             sip.public_address"
        }
        (_, 480) => "the number can't be reached now: try again, or another number",
        (_, 488 | 606) => {
            "nothing in common to talk by: the provider wants another codec than PCMU, PCMA, G.722 and Opus, or SRTP \
             (the trunk's srtp = \"offered\" with ;transport=tls, or srtp_keys = \"dtls\"), or no SRTP (srtp = \"accepted\")"
        }
        (_, 420 | 421) => "it wants an extension that we don't have: ask the provider to leave it out",
        (_, 423) => "it wants longer registrations: raise account.expires_s",
        (_, 483) => "the request goes in circles: account.server leads back to itself, or to us",
        (_, 503) => {
            let when = retry_after_s.map(|seconds| format!(" after {seconds} s")).unwrap_or_default();
            return broken(
                said,
                format!(
                    "it is full, being mended, or blocks our address for a while: try again{when}, then ask the provider"
                ),
            );
        }
        (_, 500..=599) => "the provider's server fails: try again, then ask the provider",
        _ => "ask the provider what it means by that",
    };
    broken(said, change)
}
