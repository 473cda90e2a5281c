//! One end of the wire: a dialog and its transactions, driven on virtual time as a trunk's shard drives them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;

use bytes::Bytes;
use cluster::sip::check::check;
use cluster::sip::destination;
use cluster::sip::dialog::{Command, Dialog, Effect, Event, Input, Moment, RequestId, TransactionId};
use cluster::sip::respond::{capabilities, respond};
use cluster::sip::wire::{
    self, Dispatch, Header, HeaderName, Limits, Message, Method, Output, Reliability, Request, Response,
    Timer, Timers, TransactionKey, TransactionLayer, TuEvent, cancelled_key, parse_datagram,
};

const BODY_BYTES_MAX: usize = 64 * 1_024;

/// Whose request it is.
#[derive(Debug, Clone, Copy)]
enum Asker {
    Dialog(RequestId),
    /// One that the caller's phone wrote itself.
    Phone,
}

#[derive(Debug)]
enum Due {
    Server(TransactionId, Timer),
    Client(u64, Timer),
}

pub(super) struct Side {
    pub(super) dialog: Option<Dialog>,
    /// A call was here, whether or not it is forgotten.
    pub(super) had_call: bool,
    /// The dialog's events that nobody has taken.
    pub(super) events: Vec<Event>,
    /// What is to be sent.
    pub(super) outbox: Vec<Bytes>,
    /// An INVITE that begins a call.
    pub(super) invited: Option<(TransactionId, Request)>,
    /// The first ACK, which says how a request within the dialog is written.
    pub(super) acknowledgement: Option<Request>,
    /// The final answers to INVITEs, by sequence number: those that came, and those that were given.
    pub(super) answers: BTreeMap<u32, BTreeSet<(u16, String)>>,
    pub(super) given: BTreeMap<u32, Vec<u16>>,
    /// INVITEs that nobody answered in time.
    pub(super) timeouts: BTreeSet<u32>,
    /// When the first ACK of the call's 200 came.
    pub(super) acknowledged_at: Option<Moment>,
    /// REFERs that were accepted.
    pub(super) referred: u32,
    /// Sequence numbers that the phone took beside the dialog.
    pub(super) extra_sequence: u32,
    is_caller: bool,
    peer: SocketAddr,
    servers: TransactionLayer,
    clients: TransactionLayer,
    served: HashMap<TransactionKey, TransactionId>,
    serving: HashMap<TransactionId, TransactionKey>,
    asked: HashMap<TransactionKey, u64>,
    asking: HashMap<u64, (TransactionKey, Asker, Option<u32>)>,
    next: u64,
    timers: BTreeMap<(Moment, u64), Due>,
    now: Moment,
}

impl Side {
    pub(super) fn new(is_caller: bool, peer: SocketAddr) -> Self {
        Self {
            dialog: None,
            had_call: false,
            events: Vec::new(),
            outbox: Vec::new(),
            invited: None,
            acknowledgement: None,
            answers: BTreeMap::new(),
            given: BTreeMap::new(),
            timeouts: BTreeSet::new(),
            acknowledged_at: None,
            referred: 0,
            extra_sequence: 0,
            is_caller,
            peer,
            servers: TransactionLayer::new(Timers::default()),
            clients: TransactionLayer::new(Timers::default()),
            served: HashMap::new(),
            serving: HashMap::new(),
            asked: HashMap::new(),
            asking: HashMap::new(),
            next: 1,
            timers: BTreeMap::new(),
            now: 0,
        }
    }

    /// When something is due.
    pub(super) fn next_at(&self) -> Option<Moment> {
        let timer = self.timers.keys().next().map(|(at, _)| *at);
        timer.into_iter().chain(self.dialog.as_ref().and_then(Dialog::deadline)).min()
    }

    /// Transactions that are under way.
    pub(super) fn transactions(&self) -> Vec<String> {
        let serving = self.serving.values().map(|key| format!("serving {key:?}"));
        let asking = self.asking.values().map(|(key, _, _)| format!("asking {key:?}"));
        let mut all: Vec<String> = serving.chain(asking).collect();
        assert_eq!(all.len(), self.served.len() + self.asked.len(), "the tables agree");
        all.sort();
        all
    }

    /// Does what is due.
    pub(super) fn advance(&mut self, now: Moment) {
        self.now = now;
        while let Some(key) = self.timers.keys().next().copied().filter(|(at, _)| *at <= now) {
            match self.timers.remove(&key) {
                Some(Due::Server(id, timer)) => {
                    if let Some(key) = self.serving.get(&id).cloned() {
                        let outputs = self.servers.on_timer(&key, timer);
                        self.drive_server(id, outputs);
                    }
                }
                Some(Due::Client(id, timer)) => {
                    if let Some((key, _, _)) = self.asking.get(&id).cloned() {
                        let outputs = self.clients.on_timer(&key, timer);
                        self.drive_client(id, outputs);
                    }
                }
                None => {}
            }
        }
        if self.dialog.as_ref().and_then(Dialog::deadline).is_some_and(|at| at <= now) {
            self.tell(Input::Tick);
        }
    }

    pub(super) fn command(&mut self, now: Moment, command: Command) {
        self.now = now;
        self.tell(Input::Command(command));
    }

    /// The dialog goes on from its bytes, as another process would.
    pub(super) fn resume(&mut self, now: Moment) {
        if let Some(dialog) = &mut self.dialog {
            let bytes = dialog.capture(now).expect("a dialog can be written down");
            *dialog = Dialog::restore(&bytes, now).expect("a dialog can be read back");
        }
    }

    /// Takes a dialog and what it wants done first.
    pub(super) fn begin_with(&mut self, now: Moment, dialog: Dialog) {
        self.now = now;
        self.had_call = true;
        self.dialog = Some(dialog);
        self.run_effects();
    }

    /// Drops a dialog of which nothing is left to do, with an INVITE of its own that was never answered.
    pub(super) fn forget(&mut self) -> bool {
        let Some(dialog) = self.dialog.take_if(|dialog| dialog.is_over()) else { return false };
        let unanswered = |sequence: &Option<u32>| *sequence == Some(1) && !self.answers.contains_key(&1);
        let waiting = self.asking.iter().find(|(_, (_, _, sequence))| unanswered(sequence));
        if dialog.invite_request().is_some()
            && let Some((id, key)) = waiting.map(|(id, (key, _, _))| (*id, key.clone()))
        {
            let outputs = self.clients.on_transport_error(&key);
            self.drive_client(id, outputs);
        }
        true
    }

    fn tell(&mut self, input: Input) {
        let now = self.now;
        if let Some(dialog) = &mut self.dialog {
            dialog.handle(now, input);
            self.run_effects();
        }
    }

    fn run_effects(&mut self) {
        let Some(dialog) = &mut self.dialog else { return };
        for effect in dialog.drain() {
            match effect {
                Effect::Respond { transaction, response } => {
                    let status = response.status.code();
                    if status >= 200 && wire::sequence_method(&response.headers) == Some(Method::Invite) {
                        let sequence = wire::sequence(&response.headers).unwrap_or_default();
                        self.given.entry(sequence).or_default().push(status);
                    }
                    self.answer(transaction, response);
                }
                Effect::Retransmit { transaction, response } => self.answer(transaction, response),
                Effect::Send { id, mut request, .. } => {
                    if request.method == Method::Bye && self.extra_sequence > 0 {
                        let sequence = wire::sequence(&request.headers).unwrap_or_default();
                        request.headers.remove_first(&HeaderName::CSeq);
                        add(
                            &mut request,
                            HeaderName::CSeq,
                            &format!("{} BYE", sequence + self.extra_sequence),
                        );
                    }
                    self.ask(Asker::Dialog(id), request);
                }
                Effect::Acknowledge { request, .. } => {
                    self.acknowledgement.get_or_insert_with(|| request.clone());
                    self.transmit(Message::Request(request));
                }
                Effect::Tell(event) => self.events.push(event),
                Effect::Unusable { .. } | Effect::Ignored { .. } => {}
            }
        }
    }

    fn transmit(&mut self, message: Message) {
        self.outbox.push(message.to_bytes());
    }

    fn set(&mut self, after: std::time::Duration, due: Due) {
        let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        self.next += 1;
        self.timers.insert((self.now + after, self.next), due);
    }

    /// A datagram arrives.
    pub(super) fn receive(&mut self, now: Moment, bytes: Bytes) {
        self.now = now;
        match parse_datagram(bytes, &Limits::datagram()).expect("both sides write what can be read") {
            Message::Request(request) => self.on_request(request),
            Message::Response(response) => self.on_response(&response),
        }
    }

    fn on_request(&mut self, mut request: Request) {
        destination::stamp(&mut request, self.peer);
        if let Some(key) = TransactionKey::from_request(&request)
            && let Some(id) = self.served.get(&key).copied()
        {
            let dispatch = self.servers.receive(Message::Request(request), Reliability::Unreliable);
            if let Dispatch::Matched { outputs, .. } = dispatch {
                for event in self.drive_server(id, outputs) {
                    if let TuEvent::Ack(ack) = event {
                        self.acknowledged_at.get_or_insert(self.now);
                        self.tell(Input::Request { transaction: None, request: *ack });
                    }
                }
            }
            return;
        }
        // A phone takes transfers; we do not.
        if !(self.is_caller && request.method == Method::Refer)
            && let Err(why) = check(&request, BODY_BYTES_MAX)
        {
            panic!("what one side writes the other refuses with {why:?}: {request:?}");
        }
        match request.method {
            Method::Ack => {
                self.acknowledged_at.get_or_insert(self.now);
                self.tell(Input::Request { transaction: None, request });
            }
            Method::Cancel => {
                let is_known = cancelled_key(&request).is_some_and(|key| self.served.contains_key(&key));
                match (is_known, self.dialog.is_some()) {
                    (true, true) => self.serve(request),
                    // The call is forgotten before its INVITE's transaction is.
                    (true, false) => self.refuse(&request, 200),
                    (false, _) => self.refuse(&request, 481),
                }
            }
            _ if wire::to_tag(&request.headers).is_some() => {
                let call_id = request.headers.value(&HeaderName::CallId).unwrap_or_default().into_owned();
                let theirs = wire::from_tag(&request.headers);
                let is_known =
                    self.dialog.as_ref().is_some_and(|dialog| dialog.is_with(&call_id, theirs.as_deref()));
                if is_known {
                    self.serve(request);
                } else {
                    self.refuse(&request, 481);
                }
            }
            Method::Invite if self.dialog.is_some() => self.refuse(&request, 482),
            Method::Invite => {
                if let Some(begun) = self.begin(request) {
                    assert!(self.invited.replace(begun).is_none(), "one call at a time");
                }
            }
            Method::Options => self.transmit(Message::Response(capabilities(&request, "stateless"))),
            _ => self.refuse(&request, 481),
        }
    }

    fn refuse(&mut self, request: &Request, status: u16) {
        self.transmit(Message::Response(respond(request, status, Some("stateless")).build()));
    }

    fn serve(&mut self, request: Request) {
        let Some((transaction, request)) = self.begin(request) else { return };
        if self.is_caller && request.method == Method::Refer {
            self.referred += 1;
            let tag = self.dialog.as_ref().map(|dialog| dialog.tag().to_owned());
            return self.answer(transaction, respond(&request, 202, tag.as_deref()).build());
        }
        self.tell(Input::Request { transaction: Some(transaction), request });
    }

    fn begin(&mut self, request: Request) -> Option<(TransactionId, Request)> {
        let dispatch = self.servers.receive(Message::Request(request), Reliability::Unreliable);
        let Dispatch::Created { key, outputs } = dispatch else { return None };
        let id = TransactionId(self.next);
        self.next += 1;
        self.served.insert(key.clone(), id);
        self.serving.insert(id, key);
        self.drive_server(id, outputs).into_iter().find_map(|event| match event {
            TuEvent::Request(request) => Some((id, *request)),
            _ => None,
        })
    }

    pub(super) fn answer(&mut self, id: TransactionId, response: Response) {
        match self.serving.get(&id).cloned() {
            Some(key) => {
                let outputs = self.servers.send_response(&key, response);
                self.drive_server(id, outputs);
            }
            None => self.transmit(Message::Response(response)),
        }
    }

    fn drive_server(&mut self, id: TransactionId, outputs: Vec<Output>) -> Vec<TuEvent> {
        let mut events = Vec::new();
        for output in outputs {
            match output {
                Output::Send(message) => self.transmit(*message),
                Output::SetTimer { timer, after } => self.set(after, Due::Server(id, timer)),
                Output::ToTu(event) => events.push(*event),
                Output::Terminated(_) => {
                    if let Some(key) = self.serving.remove(&id) {
                        self.served.remove(&key);
                    }
                }
                _ => {}
            }
        }
        events
    }

    fn ask(&mut self, asker: Asker, request: Request) {
        let sequence = (request.method == Method::Invite).then(|| wire::sequence(&request.headers)).flatten();
        let Some((key, outputs)) = self.clients.send_request(request, Reliability::Unreliable) else {
            panic!("a request of ours has no transaction key");
        };
        let id = self.next;
        self.next += 1;
        self.asked.insert(key.clone(), id);
        self.asking.insert(id, (key, asker, sequence));
        self.drive_client(id, outputs);
    }

    fn drive_client(&mut self, id: u64, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(message) => self.transmit(*message),
                Output::SetTimer { timer, after } => self.set(after, Due::Client(id, timer)),
                Output::ToTu(event) => self.on_client_event(id, *event),
                Output::Terminated(_) => {
                    if let Some((key, _, _)) = self.asking.remove(&id) {
                        self.asked.remove(&key);
                    }
                }
                _ => {}
            }
        }
    }

    fn on_client_event(&mut self, id: u64, event: TuEvent) {
        let Some((_, asker, invite)) = self.asking.get(&id).cloned() else { return };
        match event {
            TuEvent::Response(response) => {
                if let Some(sequence) = invite {
                    self.note_answer(sequence, &response);
                }
                if let Asker::Dialog(id) = asker {
                    self.tell(Input::Response { id, response: *response });
                }
            }
            TuEvent::Timeout | TuEvent::TransportError => {
                self.timeouts.extend(invite);
                if let Asker::Dialog(id) = asker {
                    self.tell(Input::Unanswered { id });
                }
            }
            _ => {}
        }
    }

    fn note_answer(&mut self, sequence: u32, response: &Response) {
        let status = response.status.code();
        if status >= 200 {
            let tag = wire::to_tag(&response.headers).unwrap_or_default();
            self.answers.entry(sequence).or_default().insert((status, tag));
        }
    }

    fn on_response(&mut self, response: &Response) {
        let invite = wire::sequence_method(&response.headers) == Some(Method::Invite);
        let success = invite && response.status.is_success();
        let sequence = wire::sequence(&response.headers).unwrap_or_default();
        // The phone's own re-INVITE: each copy of its 200 gets an ACK, with or without a transaction.
        if success && sequence > 1 {
            self.acknowledge_own(sequence);
        }
        let key = TransactionKey::from_response(response);
        if let Some(id) = key.and_then(|key| self.asked.get(&key).copied()) {
            let message = Message::Response(response.clone());
            if let Dispatch::Matched { outputs, .. } = self.clients.receive(message, Reliability::Unreliable)
            {
                self.drive_client(id, outputs);
            }
        } else if success
            && sequence == 1
            && let Some(id) = self.dialog.as_ref().and_then(Dialog::invite_request)
        {
            self.note_answer(sequence, response);
            self.tell(Input::Response { id, response: response.clone() });
        }
    }

    /// Sends a request that the phone writes itself: its dialog has no words for it.
    pub(super) fn ask_own(&mut self, now: Moment, method: Method, extra: &[(HeaderName, &str)], body: &str) {
        self.now = now;
        self.extra_sequence += 1;
        let Some(mut request) = self.own_request(method, 1 + self.extra_sequence) else { return };
        for (name, value) in extra {
            add(&mut request, name.clone(), value);
        }
        add(&mut request, HeaderName::ContentLength, &body.len().to_string());
        request.set_body(Bytes::copy_from_slice(body.as_bytes()));
        self.ask(Asker::Phone, request);
    }

    fn acknowledge_own(&mut self, sequence: u32) {
        if let Some(mut request) = self.own_request(Method::Ack, sequence) {
            add(&mut request, HeaderName::ContentLength, "0");
            self.transmit(Message::Request(request));
        }
    }

    fn own_request(&mut self, method: Method, sequence: u32) -> Option<Request> {
        let model = self.acknowledgement.clone()?;
        self.next += 1;
        let via = wire::text(&model.headers, &HeaderName::Via)?;
        let via = via.split(';').next().unwrap_or_default();
        let mut request = Request::new(method.clone(), model.uri.clone());
        add(&mut request, HeaderName::Via, &format!("{via};branch=z9hG4bKphone{};rport", self.next));
        for name in [HeaderName::MaxForwards, HeaderName::From, HeaderName::To, HeaderName::CallId] {
            add(&mut request, name.clone(), &wire::text(&model.headers, &name)?);
        }
        add(&mut request, HeaderName::CSeq, &format!("{sequence} {method}"));
        add(&mut request, HeaderName::Contact, &format!("<sip:caller@{}>", super::CALLER));
        Some(request)
    }
}

fn add(request: &mut Request, name: HeaderName, value: &str) {
    request.headers.push(Header::build(name, value.to_owned()).expect("a header of one line"));
}
