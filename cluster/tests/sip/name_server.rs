//! A name server on loopback that knows what the test tells it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, NAPTR, SOA, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// It answers until it is dropped.
pub(super) struct NameServer {
    pub(super) address: SocketAddr,
    zone: Arc<Mutex<Vec<Record>>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn name(text: &str) -> Name {
    Name::from_utf8(format!("{text}.")).unwrap()
}

pub(super) fn server(service: &str, priority: u16, port: u16, target: &str) -> Record {
    Record::from_rdata(name(service), 60, RData::SRV(SRV::new(priority, 10, port, name(target))))
}

pub(super) fn transport(domain: &str, order: u16, service: &str, replacement: &str) -> Record {
    let bytes = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
    let record = NAPTR::new(order, 1, bytes("s"), bytes(service), bytes(""), name(replacement));
    Record::from_rdata(name(domain), 60, RData::NAPTR(record))
}

pub(super) fn host(host: &str, seconds: u32) -> Record {
    host_at(host, seconds, Ipv4Addr::LOCALHOST)
}

pub(super) fn host_at(host: &str, seconds: u32, address: Ipv4Addr) -> Record {
    Record::from_rdata(name(host), seconds, RData::A(A(address)))
}

impl NameServer {
    pub(super) async fn start(zone: Vec<Record>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (zone, asked) = (Arc::new(Mutex::new(zone)), Arc::new(AtomicUsize::new(0)));
        let (known, count) = (Arc::clone(&zone), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 4_096];
            while let Ok((length, source)) = socket.recv_from(&mut buffer).await {
                let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answer(&question, &known.lock());
                let _ = socket.send_to(&answer.to_vec().unwrap(), source).await;
            }
        });
        Self { address, zone, asked, task }
    }

    /// What it knows from now on.
    pub(super) fn knows(&self, zone: Vec<Record>) {
        *self.zone.lock() = zone;
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(question: &Message, zone: &[Record]) -> Message {
    let mut answer = Message::response(question.id, question.op_code);
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.recursion_desired = true;
    answer.metadata.recursion_available = true;
    let mut named = false;
    for query in &question.queries {
        answer.add_query(query.clone());
        for record in zone.iter().filter(|record| record.name.eq_ignore_root(query.name())) {
            named = true;
            if record.record_type() == query.query_type() || query.query_type() == RecordType::ANY {
                answer.add_answer(record.clone());
            }
        }
    }
    // That there is nothing is known for as long as this says (RFC 2308).
    if answer.answers.is_empty() {
        let authority = SOA::new(name("ns.example"), name("admin.example"), 1, 60, 60, 60, 60);
        answer.add_authority(Record::from_rdata(name("example"), 60, RData::SOA(authority)));
    }
    if !named {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    answer
}
