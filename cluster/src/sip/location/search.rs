//! The search itself (RFC 3263 sections 4.1 and 4.2).

use std::net::{IpAddr, SocketAddr};

use super::order::ordered;
use super::{ADDRESSES_MAX, Answer, Known, Naptr, Question, RECORDS_MAX, TARGETS_MAX, Target, Wanted};
use crate::sip::destination::Transport;
use crate::sip::draws::Draws;

/// Services of one domain that are looked at.
const SERVICES_MAX: usize = 6;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// These are to be looked up, at once where that can be.
    Ask(Vec<Question>),
    /// The servers to try, in order. Empty where there are none.
    Found(Vec<Target>),
}

/// Where requests go. `reaches` says by which transports and to which addresses we can send at all; `seed` decides
/// between servers of one priority, and the same seed decides the same.
pub fn locate(
    wanted: &Wanted,
    known: &Known,
    reaches: &dyn Fn(Transport, Option<IpAddr>) -> bool,
    seed: u64,
) -> Step {
    let mut search = Search { wanted, known, reaches, draws: Draws::new(seed), missing: Vec::new() };
    let mut found = search.targets();
    if !search.missing.is_empty() {
        return Step::Ask(search.missing);
    }
    found.truncate(TARGETS_MAX);
    Step::Found(found)
}

struct Search<'a> {
    wanted: &'a Wanted,
    known: &'a Known,
    reaches: &'a dyn Fn(Transport, Option<IpAddr>) -> bool,
    draws: Draws,
    missing: Vec<Question>,
}

impl Search<'_> {
    fn targets(&mut self) -> Vec<Target> {
        let Wanted { address, port, .. } = *self.wanted;
        let transport = self.wanted.transport.unwrap_or(self.plain());
        if let Some(address) = address {
            return self.at([address], port.unwrap_or(transport.port()), transport);
        }
        let host = self.wanted.host.clone();
        if let Some(port) = port {
            return self.of_host(&host, port, transport);
        }
        let services = match self.wanted.transport {
            Some(transport) => vec![(transport, service(transport, &host))],
            None => self.services(&host),
        };
        let mut found = Vec::new();
        let mut any = false;
        for (transport, name) in services {
            let servers = match self.ask(Question::Servers(name)) {
                Some(Answer::Servers(servers)) => servers,
                _ => continue,
            };
            any |= !servers.is_empty();
            for server in ordered(&servers, &mut self.draws) {
                found.extend(self.of_host(&server.target, server.port, transport));
            }
        }
        if any || !self.missing.is_empty() {
            return found;
        }
        // No such records: the host itself (section 4.2).
        self.of_host(&host, transport.port(), transport)
    }

    /// The transport where none is written (section 4.1).
    const fn plain(&self) -> Transport {
        if self.wanted.secure { Transport::Tls } else { Transport::Udp }
    }

    /// The transports that the domain offers, the preferred one first, and the names of their servers.
    fn services(&mut self, host: &str) -> Vec<(Transport, String)> {
        let Some(Answer::Naptr(mut records)) = self.ask(Question::Naptr(host.to_owned())) else {
            return Vec::new();
        };
        records.truncate(RECORDS_MAX);
        records.sort_by_key(|record| (record.order, record.preference));
        let usable: Vec<(Transport, String)> = records
            .iter()
            .filter_map(|record| Some((transport_of(record)?, record.replacement.clone())))
            .filter(|(transport, _)| self.may(*transport))
            .take(SERVICES_MAX)
            .collect();
        if !usable.is_empty() {
            return usable;
        }
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .filter(|transport| self.may(*transport))
            .map(|transport| (transport, service(transport, host)))
            .collect()
    }

    fn may(&self, transport: Transport) -> bool {
        (self.reaches)(transport, None) && (!self.wanted.secure || transport == Transport::Tls)
    }

    fn of_host(&mut self, host: &str, port: u16, transport: Transport) -> Vec<Target> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.at([address], port, transport);
        }
        match self.ask(Question::Addresses(host.to_owned())) {
            Some(Answer::Addresses(addresses)) => self.at(addresses, port, transport),
            _ => Vec::new(),
        }
    }

    fn at(
        &self,
        addresses: impl IntoIterator<Item = IpAddr>,
        port: u16,
        transport: Transport,
    ) -> Vec<Target> {
        addresses
            .into_iter()
            .filter(|address| (self.reaches)(transport, Some(*address)))
            .take(ADDRESSES_MAX)
            .map(|address| Target {
                address: SocketAddr::new(address, port),
                transport,
                name: self.wanted.host.clone(),
            })
            .collect()
    }

    fn ask(&mut self, question: Question) -> Option<Answer> {
        let answer = self.known.get(&question).cloned();
        if answer.is_none() && !self.missing.contains(&question) && self.missing.len() < RECORDS_MAX {
            self.missing.push(question);
        }
        answer
    }
}

fn service(transport: Transport, host: &str) -> String {
    match transport {
        Transport::Udp => format!("_sip._udp.{host}"),
        Transport::Tcp => format!("_sip._tcp.{host}"),
        Transport::Tls => format!("_sips._tcp.{host}"),
    }
}

fn transport_of(record: &Naptr) -> Option<Transport> {
    let service = record.service.to_ascii_uppercase();
    let transport = match service.as_str() {
        "SIP+D2U" => Transport::Udp,
        "SIP+D2T" => Transport::Tcp,
        "SIPS+D2T" => Transport::Tls,
        _ => return None,
    };
    record.flags.eq_ignore_ascii_case("s").then_some(transport)
}
