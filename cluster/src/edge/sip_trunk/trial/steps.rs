//! The steps of a trial, one after the other; the first that fails ends it, except that a server that fails gives the
//! next one its turn.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::time::Instant;

use super::requests::{Answered, Asker};
use super::wire::Wire;
use super::{Tried, Wish, told};
use crate::edge::sip_trunk::guard::Carrier;
use crate::edge::sip_trunk::names::Names;
use crate::edge::sip_trunk::{Error, Settings, tls};
use crate::sip::destination::{PORT, Transport};
use crate::sip::diagnosis::{Happened, Path, Step, path};
use crate::sip::dialog::Offers;
use crate::sip::location::{Target, Wanted};
use crate::sip::proof::Prover;
use crate::sip::sdp::{Fingerprint, Hash, Negotiation, Secret};
use crate::sip::wire::{self, HeaderName, Method, Response};

/// Servers that are tried.
const SERVERS_MAX: usize = 4;

/// What a trunk is called by, as far as it has it.
struct Subject {
    wanted: Wanted,
    registrar: String,
    identity: String,
    prover: Option<Prover>,
    registers: bool,
    offering: (Negotiation, Offers),
}

/// Tries the trunk with this name.
///
/// # Errors
/// [`Error::Trunk`] where there is no such trunk, or it has nothing that could be asked; [`Error::Password`] and
/// [`Error::Certificate`] for files that can't be used.
pub async fn try_trunk(settings: &Settings, name: &str, wish: &Wish) -> Result<Vec<Tried>, Error> {
    let unknown = || Error::Trunk { name: name.to_owned(), mend: "no [[sip.trunk]] has this name" };
    let carrier = settings.trunk.iter().find(|carrier| carrier.name == name).ok_or_else(unknown)?;
    let subject = subject(carrier, offering(settings, carrier))?;
    let mut tried = Vec::new();
    let names = Names::new(&settings.names);
    let has_way = |_: Transport, _: Option<IpAddr>| true;
    let servers = match names.find(&subject.wanted, &has_way, crate::chance::number()).await {
        Ok(servers) => servers,
        Err(lost) => {
            let happened = Happened::NotFound { unanswered: lost.unanswered };
            tried.push(told(Step::Find, &subject.wanted.host, &happened, Vec::new()));
            return Ok(tried);
        }
    };
    tried.push(Tried {
        what: listed(&servers),
        ..told(Step::Find, &subject.wanted.host, &Happened::Worked, Vec::new())
    });
    let mut believed = None;
    for target in servers.iter().take(SERVERS_MAX) {
        if target.transport == Transport::Tls && believed.is_none() {
            believed = Some(tls::believed(&settings.secure)?);
        }
        if try_server(&subject, target, believed.clone(), wish, &mut tried).await {
            break;
        }
    }
    Ok(tried)
}

/// What a call to it offers, as one that is meant does. Nobody asks for the certificate: it is over before.
fn offering(settings: &Settings, carrier: &Carrier) -> (Negotiation, Offers) {
    let certificate = Fingerprint { hash: Hash::Sha256, bytes: crate::chance::bytes::<32>().to_vec() };
    let offering = Negotiation::new(SocketAddr::from(([0, 0, 0, 0], 0)), 1)
        .speaking(settings.codecs.clone())
        .certified(Some(certificate))
        .protected(carrier.srtp.unwrap_or(settings.srtp), Secret::from(crate::chance::bytes()))
        .keyed(carrier.srtp_keys.unwrap_or(settings.srtp_keys));
    (offering, carrier.offers.unwrap_or(settings.offers))
}

fn subject(carrier: &Carrier, offering: (Negotiation, Offers)) -> Result<Subject, Error> {
    let name = || carrier.name.clone();
    if let Some(account) = &carrier.account {
        account.check(&carrier.name)?;
        let wrong = || Error::Trunk { name: name(), mend: "write account.server as sip:carrier.example" };
        let proof = account.proof().map_err(|why| Error::Password { name: name(), why })?;
        return Ok(Subject {
            wanted: account.wanted().ok_or_else(wrong)?,
            registrar: account.registrar().ok_or_else(wrong)?,
            identity: account.identity().ok_or_else(wrong)?,
            prover: Some(Prover::new(proof)),
            registers: account.register,
            offering,
        });
    }
    // One that only calls us may still answer where it calls from.
    let nothing = Error::Trunk {
        name: name(),
        mend: "it has no account, and no single address to ask; it can only be tried by calling us",
    };
    let address =
        carrier.addresses.iter().find_map(|address| address.parse::<IpAddr>().ok()).ok_or(nothing)?;
    let host = SocketAddr::new(address, PORT);
    Ok(Subject {
        wanted: Wanted {
            host: address.to_string(),
            address: Some(address),
            port: None,
            transport: None,
            secure: false,
        },
        registrar: format!("sip:{host}"),
        identity: format!("sip:strowger@{host}"),
        prover: None,
        registers: false,
        offering,
    })
}

fn listed(servers: &[Target]) -> String {
    let one = |server: &Target| format!("{} by {}", server.address, server.transport.in_via());
    servers.iter().map(one).collect::<Vec<_>>().join(", then ")
}

/// Whether this server is the one: it answers, whatever it says.
async fn try_server(
    subject: &Subject,
    target: &Target,
    believed: Option<Arc<ClientConfig>>,
    wish: &Wish,
    tried: &mut Vec<Tried>,
) -> bool {
    let server = format!("{} by {}", target.address, target.transport.in_via());
    let step = Step::Connect(target.transport);
    let mut wire = match Wire::open(target, believed, Instant::now() + wish.patience).await {
        Ok(wire) => wire,
        Err(happened) => {
            tried.push(told(step, &server, &happened, Vec::new()));
            return false;
        }
    };
    if wire.is_reliable() {
        tried.push(told(step, &server, &Happened::Worked, Vec::new()));
    }
    let (identity, prover) = (subject.identity.clone(), subject.prover.clone());
    let mut asker = Asker::new(identity, prover, wish.patience, subject.offering.clone());
    let to = format!("<{}>", subject.registrar);
    let asked = asker.ask(&mut wire, &Method::Options, &subject.registrar, &to).await;
    let answered =
        asked.as_ref().ok().map(|answered| path(&answered.response, wire.own, target.address.ip()));
    let options = report(Step::Options, &server, asked.as_ref(), &mut wire, wish);
    let is_there = options.works || matches!(asked, Err(Happened::Unprovable { .. }));
    tried.push(options);
    tried.extend(answered.and_then(|path| of_path(&server, path)));
    if !is_there {
        return false;
    }
    if subject.registers {
        let to = format!("<{}>", subject.identity);
        let asked = asker.ask(&mut wire, &Method::Register, &subject.registrar, &to).await;
        let register = report(Step::Register, &server, asked.as_ref(), &mut wire, wish);
        let works = register.works;
        tried.push(register);
        if !works {
            return true;
        }
    }
    if let Some(number) = &wish.call {
        tried.push(call(subject, &server, number, &mut asker, &mut wire, wish).await);
    }
    true
}

/// Calls a number for a moment.
async fn call(
    subject: &Subject,
    server: &str,
    number: &str,
    asker: &mut Asker,
    wire: &mut Wire,
    wish: &Wish,
) -> Tried {
    let (scheme, host) = subject.registrar.split_once(':').unwrap_or(("sip", ""));
    let uri = format!("{scheme}:{number}@{host}");
    let asked = asker.ask(wire, &Method::Invite, &uri, &format!("<{uri}>")).await;
    let rang = asked.as_ref().ok().and_then(|answered| answered.rang);
    match asked {
        Ok(answered) if answered.response.status.is_success() => {
            // It was answered before it could be cancelled.
            let hung_up = asker.hang_up(wire, &answered).await;
            let outcome = hung_up.map(|()| answered);
            report(Step::Call, server, outcome.as_ref(), wire, wish)
        }
        Ok(answered) if rang.is_some() && answered.response.status.code() == 487 => {
            let what = format!("it rang ({}), and was cancelled at once", rang.unwrap_or_default());
            let messages = wire.seen(wish.show_all);
            Tried { what, ..told(Step::Call, server, &Happened::Worked, messages) }
        }
        asked => report(Step::Call, server, asked.as_ref(), wire, wish),
    }
}

fn report(
    step: Step,
    server: &str,
    asked: Result<&Answered, &Happened>,
    wire: &mut Wire,
    wish: &Wish,
) -> Tried {
    let messages = wire.seen(wish.show_all);
    let happened = match asked {
        Ok(answered) => of_response(&answered.response),
        Err(happened) => happened.clone(),
    };
    told(step, server, &happened, messages)
}

fn of_response(response: &Response) -> Happened {
    let text = |name: &HeaderName| wire::text(&response.headers, name);
    let plain = |text: String| -> String { text.chars().filter(|one| !one.is_control()).take(120).collect() };
    Happened::Answered {
        status: response.status.code(),
        phrase: plain(String::from_utf8_lossy(&response.reason).into_owned()),
        warning: text(&HeaderName::Warning).or_else(|| text(&HeaderName::Reason)).map(plain),
        retry_after_s: text(&HeaderName::RetryAfter)
            .and_then(|text| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()),
    }
}

/// What the way back says, where it says anything.
fn of_path(server: &str, path: Path) -> Option<Tried> {
    let (works, what, change) = match path {
        Path::Plain => return None,
        Path::Nat(seen) => (
            true,
            format!("the server sees us at {seen}: there is NAT between us"),
            "if calls have no sound or are not offered to us, set sip.public_address and forward the ports of sip and \
             media to this machine"
                .to_owned(),
        ),
        Path::Rewritten { to } => (
            false,
            format!("something on the way changes what we write (our address became {to})"),
            "turn \"SIP ALG\" (or \"SIP helper\", \"SIP fix-up\") off in the router, or use ;transport=tls, which it \
             can't read"
                .to_owned(),
        ),
    };
    Some(Tried {
        step: "path".to_owned(),
        server: server.to_owned(),
        works,
        what,
        change,
        messages: Vec::new(),
    })
}
