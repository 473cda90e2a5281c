//! What is erased is gone: from every table, whatever was kept of it.

use super::*;
use crate::storage::{Claim, Cursor, Erased, Erasure, Extent, Fence, FinishedRecording, Page, Recording};
use crate::types::{
    BookingId, CallEvent, CallEventKind, CallId, CallTime, Contact, Life, PhoneNumber, Private, RecordingId,
    Slot, Speaker, ToolCall, ToolOutcome, ToolStep,
};

/// A person who called, and all that was kept of it.
struct Person {
    owner: &'static str,
    number: &'static str,
    name: &'static str,
    words: &'static str,
    /// Of the call, and of everything it made.
    id: u32,
}

const ADA: Person = Person {
    owner: "barbers",
    number: "+447700900001",
    name: "Ada Quill",
    words: "penguin",
    id: 0x00a1_1a01,
};
const BEN: Person = Person {
    owner: "barbers",
    number: "+447700900002",
    name: "Ben Trotter",
    words: "walrus",
    id: 0x00b2_2b02,
};
const EVE: Person =
    Person { owner: "clinic", number: "+447700900001", name: "Eve Okoro", words: "ocelot", id: 0x00e3_3e03 };

impl Person {
    fn call(&self) -> CallId {
        CallId::new(uuid(self.id))
    }

    fn caller(&self) -> Private<PhoneNumber> {
        Private::new(number(self.number))
    }

    fn minute(&self) -> i64 {
        i64::from(self.id % 256) * 60
    }

    fn contact(&self) -> Contact {
        Contact { name: Some(Private::from(self.name)), number: Some(self.caller()) }
    }

    fn booking(&self) -> (crate::types::Booking, crate::storage::Occupied) {
        let (mut booking, _) = booking(self.id, self.minute(), 30);
        booking.tenant = tenant(self.owner);
        booking.contact = self.contact();
        let occupied = time_of(&booking);
        (booking, occupied)
    }

    fn events(&self) -> Vec<CallEvent> {
        let slot: Slot = self.booking().0.slot;
        let said = |text: String| CallEventKind::Said {
            speaker: Speaker::Caller,
            text: Private::new(text),
            interrupted: false,
            confidence: Some(0.9),
        };
        let kinds = vec![
            CallEventKind::RecordingStarted { recording: RecordingId::new(uuid(self.id)), announced: true },
            said(format!("I'm {} and I'd like a {}.", self.name, self.words)),
            CallEventKind::ToolCalled {
                step: ToolStep(0),
                call: ToolCall::Book { slot, contact: self.contact() },
            },
            CallEventKind::ToolAnswered {
                step: ToolStep(0),
                outcome: ToolOutcome::Booked { booking: self.booking().0 },
                took_ms: 1,
            },
        ];
        let number = |(seq, kind)| CallEvent { seq, at: CallTime::START, kind };
        (0..).zip(kinds).map(number).collect()
    }

    fn recording(&self) -> Recording {
        Recording {
            id: RecordingId::new(uuid(self.id)),
            tenant: tenant(self.owner),
            call: self.call(),
            started_at: at(self.minute()),
            sealed_key: format!("key of {}", self.words).into_bytes(),
            rate_hz: 8_000,
            segment_samples: 16_000,
            finished: Some(FinishedRecording {
                segments: 1,
                samples: 1,
                lost_segments: vec![],
                cut_short: false,
            }),
            merged: None,
        }
    }

    /// Writes all that a call leaves behind, into every table there is.
    async fn leave(&self, store: &Store) {
        let mut record = call(self.owner, self.id, self.minute());
        record.caller = Some(self.caller());
        record.summary = Private::new(format!("{} asked for a {}.", self.name, self.words));
        record.recording = Some(RecordingId::new(uuid(self.id)));
        record.bookings = vec![BookingId::new(uuid(self.id))];
        record.ended_at = None;
        store.put_call(&record).await.expect("written");
        // As if its process had died.
        let claimed = store.claim_call(record.id, None, &Life::new("london", "2")).await.expect("answered");
        let Claim::Granted(mut record) = claimed else { panic!("{claimed:?}") };
        store.append_events(record.id, &self.events()).await.expect("appended");
        store.put_checkpoint(record.id, Fence::of(&record), self.words.as_bytes()).await.expect("kept");
        let (booking, occupied) = self.booking();
        let step = |step: u32| key(&format!("{}/{step}", record.id));
        written(store.book(&booking, &occupied, &step(0)).await.expect("answered"));
        store.remember_outcome(&step(0), &ToolOutcome::Booked { booking }).await.expect("remembered");
        let mut left = message(self.owner, self.id, self.minute());
        left.from = self.contact();
        left.text = Private::from(self.words);
        store.put_message(&left, &step(1)).await.expect("kept");
        store.put_recording(&self.recording()).await.expect("written");
        store.keep_key(&tenant(self.owner), self.owner.as_bytes()).await.expect("kept");
        store.append_audit(&tenant(self.owner), &audit::entry(0)).await.expect("appended");
        record.ended_at = Some(at(self.minute() + 1));
        store.put_call(&record).await.expect("written");
    }

    /// What nothing may hold when this person is gone.
    fn traces(&self) -> Vec<Vec<u8>> {
        let id = uuid(self.id);
        let key = format!("key of {}", self.words).into_bytes();
        let digits = serde_json::to_vec(&key).expect("JSON");
        vec![
            self.number.into(),
            self.number.trim_start_matches("+44").into(),
            self.name.into(),
            self.words.into(),
            id.to_string().into(),
            id.as_bytes().to_vec(),
            key,
            digits,
        ]
    }
}

/// Somebody who works at a business.
fn staff(owner: &str, number: u32) -> crate::types::User {
    let name = Private::new(format!("Worker of {owner}"));
    crate::types::User { name, ..user(owner, number, &format!("u{number}@{owner}.example")) }
}

async fn fill(store: &Store) {
    store.put_business(&business("barbers", 1, &["1000", "+442079460100"]), None).await.expect("written");
    store.put_business(&business("clinic", 1, &["2000"]), None).await.expect("written");
    for (owner, number) in [("barbers", 901), ("barbers", 902), ("clinic", 903)] {
        store.create_user(&staff(owner, number)).await.expect("kept");
    }
    // One that has had another address.
    let mut changed = staff("barbers", 902);
    (changed.version, changed.email) = (2, user("barbers", 902, "second@barbers.example").email);
    store.change_user(&changed, 1).await.expect("changed");
    for person in [ADA, BEN, EVE] {
        person.leave(store).await;
    }
    let everything = store.everything().await.expect("read");
    for table in &everything.tables {
        assert!(
            everything.rows.iter().any(|(name, _)| name == table),
            "{table} is empty: have a call leave something in it, so that erasing is tried on it"
        );
    }
}

/// The rows that hold a trace, by table.
async fn holding(store: &Store, traces: &[Vec<u8>]) -> Vec<String> {
    let rows = store.everything().await.expect("read").rows;
    let holds = |row: &[u8], trace: &[u8]| row.windows(trace.len()).any(|window| window == trace);
    rows.iter()
        .filter(|(_, row)| traces.iter().any(|trace| holds(row, trace)))
        .map(|(table, row)| format!("{table}: {}", String::from_utf8_lossy(row)))
        .collect()
}

/// What whoever removes objects does.
async fn remove_objects(store: &Store) -> Vec<RecordingId> {
    let removals = store.removals(Page::first(1_000)).await.expect("listed").rows;
    for removal in &removals {
        store.forget_removal(removal.recording).await.expect("forgotten");
    }
    removals.iter().map(|removal| removal.recording).collect()
}

async fn erase_caller(store: &Store, owner: &str, caller: &str) -> Erasure {
    let (mut all, mut after) = (Erasure::default(), None::<Cursor>);
    loop {
        let step = store.erase_caller(&tenant(owner), &Private::new(number(caller)), after).await;
        all.add(step.expect("erased"));
        after = all.next.clone();
        if after.is_none() {
            return all;
        }
    }
}

async fn erase_tenant(store: &Store, owner: &str) -> Erasure {
    let (mut all, mut after) = (Erasure::default(), None::<Cursor>);
    loop {
        all.add(store.erase_tenant(&tenant(owner), after).await.expect("erased"));
        after = all.next.clone();
        if after.is_none() {
            return all;
        }
    }
}

pub(crate) async fn of_an_erased_call_nothing_remains(store: Store) {
    fill(&store).await;
    let others = holding(&store, &BEN.traces()).await;
    let erasure = store.erase_call(ADA.call(), Extent::Everything).await.expect("erased");
    let expected = Erased {
        calls: 1,
        events: 4,
        recordings: 1,
        bookings: 1,
        messages: 1,
        outcomes: 2,
        checkpoints: 1,
        ..Erased::default()
    };
    assert_eq!(erasure, Erasure { erased: expected, calls: vec![ADA.call()], ..Erasure::default() });
    assert_eq!(remove_objects(&store).await, [RecordingId::new(uuid(ADA.id))]);
    // Her number is Eve's, too, who called another business.
    let traces: Vec<_> = ADA.traces().into_iter().skip(2).collect();
    assert_eq!(holding(&store, &traces).await, [""; 0]);
    assert_eq!(holding(&store, &BEN.traces()).await, others);
}

pub(crate) async fn a_conversation_is_erased_and_its_appointments_stand(store: Store) {
    fill(&store).await;
    let erasure = store.erase_call(ADA.call(), Extent::Conversation).await.expect("erased");
    assert_eq!((erasure.erased.calls, erasure.erased.bookings), (1, 0));
    assert_eq!(store.call(ADA.call()).await, Ok(None));
    assert_eq!(store.events(ADA.call()).await, Ok(Vec::new()));
    let (booking, occupied) = ADA.booking();
    assert_eq!(store.booking(&booking.tenant, booking.id).await, Ok(Some(booking.clone())));
    let until = occupied.until;
    let taken = store.occupied(&booking.tenant, &occupied.resource, occupied.from, until).await;
    assert_eq!(taken, Ok(vec![occupied]));
    assert_eq!(holding(&store, &[ADA.words.into()]).await, [""; 0]);
}

pub(crate) async fn a_call_that_goes_on_is_left(store: Store) {
    fill(&store).await;
    let open = crate::types::CallRecord { ended_at: None, ..call("barbers", 77, 900) };
    store.put_call(&open).await.expect("written");
    let live = Ok(Erasure { live: 1, ..Erasure::default() });
    assert_eq!(store.erase_call(open.id, Extent::Everything).await, live);
    assert_eq!(erase_caller(&store, "barbers", ADA.number).await.live, 1);
    assert_eq!(erase_tenant(&store, "barbers").await.live, 1);
    assert_eq!(store.call(open.id).await, Ok(Some(open)), "as it was");
    store.put_call(&call("barbers", 77, 900)).await.expect("written");
    assert_eq!(erase_tenant(&store, "barbers").await.live, 0);
    assert_eq!(store.call(CallId::new(uuid(77))).await, Ok(None), "and goes when it is over");
}

pub(crate) async fn of_an_erased_caller_nothing_remains(store: Store) {
    fill(&store).await;
    // A second call from the same line, written another way, and one without a record of its end's doing.
    let mut national = call("barbers", 78, 900);
    national.caller = Some(Private::new(number("07700900001")));
    store.put_call(&national).await.expect("written");
    let others = (holding(&store, &BEN.traces()).await, holding(&store, &[EVE.words.into()]).await);
    let erasure = erase_caller(&store, "barbers", ADA.number).await;
    assert_eq!((erasure.erased.calls, erasure.erased.bookings, erasure.live), (2, 1, 0));
    assert_eq!(remove_objects(&store).await, [RecordingId::new(uuid(ADA.id))]);
    let left = holding(&store, &ADA.traces()).await;
    assert!(left.iter().all(|row| row.contains("clinic") || row.contains(EVE.name)), "{left:#?}");
    let now = (holding(&store, &BEN.traces()).await, holding(&store, &[EVE.words.into()]).await);
    assert_eq!(now, others, "nobody else's is touched");
    let users = store.users(&tenant("barbers"), Page::first(9)).await.expect("listed").rows;
    assert_eq!(users.len(), 2, "those who work there have no number, and stay");
    let caller = ADA.caller();
    let listed = store.calls_by_caller(&tenant("barbers"), &caller, Page::first(9)).await.expect("listed");
    assert_eq!(listed.rows, []);
}

pub(crate) async fn a_caller_is_found_by_what_they_said(store: Store) {
    fill(&store).await;
    // The number was withheld, and then said; the appointment was made for it, and moved by another call.
    let mut record = call("barbers", 79, 900);
    record.caller = None;
    store.put_call(&record).await.expect("written");
    let text = Private::from("You reach me on 07700 900 003.");
    let kind = CallEventKind::Said { speaker: Speaker::Caller, text, interrupted: false, confidence: None };
    store
        .append_events(record.id, &[CallEvent { seq: 0, at: CallTime::START, kind }])
        .await
        .expect("appended");
    let (mut made, time) = booking(80, 990, 30);
    made.contact.number = Some(Private::new(number("+447700900003")));
    written(store.book(&made, &time, &key("someone/0")).await.expect("answered"));
    let (new, time) = moved(&made, 1_050);
    written(store.rebook(&new, &time, &key("another/0")).await.expect("answered"));
    let mut left = message("barbers", 81, 900);
    left.from.number = Some(Private::new(number("+447700900003")));
    store.put_message(&left, &key("third/0")).await.expect("kept");
    let erasure = erase_caller(&store, "barbers", "+447700900003").await;
    let Erased { calls, events, bookings, messages, .. } = erasure.erased;
    assert_eq!((calls, events, bookings, messages), (1, 1, 1, 1));
    let traces = ["7700900003", "7700 900 003", &made.id.to_string()].map(|trace| trace.as_bytes().to_vec());
    assert_eq!(holding(&store, &traces).await, [""; 0]);
    let listed = store.bookings(&tenant("barbers"), at(0), at(2_000), Page::first(9)).await.expect("listed");
    assert_eq!(listed.rows.len(), 2, "Ada's and Ben's");
}

pub(crate) async fn of_an_erased_business_nothing_remains(store: Store) {
    fill(&store).await;
    // Leftovers of a call that died before its record knew of its recording.
    let lost = Recording { id: RecordingId::new(uuid(82)), call: CallId::new(uuid(83)), ..ADA.recording() };
    store.put_recording(&lost).await.expect("written");
    let others = holding(&store, &EVE.traces()[2..]).await;
    let erasure = erase_tenant(&store, "barbers").await;
    let Erased { calls, events, recordings, bookings, messages, businesses, keys, .. } = erasure.erased;
    assert_eq!((calls, events, recordings, bookings, messages), (2, 8, 3, 2, 2));
    assert_eq!((businesses, keys, erasure.live), (1, 1, 0));
    assert_eq!(erasure.erased.users, 2);
    let emails = ["u901@barbers.example", "second@barbers.example", "u902@barbers.example"];
    for email in emails.map(|text| user("barbers", 1, text).email) {
        assert_eq!(store.user_by_email(&email).await, Ok(None));
    }
    assert_eq!(remove_objects(&store).await.len(), 3);
    let mut traces: Vec<Vec<u8>> = ADA.traces().split_off(2);
    traces.extend(BEN.traces());
    traces.push(b"barbers".to_vec());
    traces.push(uuid(82).as_bytes().to_vec());
    traces.extend([901, 902].map(|number| uuid(number).as_bytes().to_vec()));
    assert_eq!(holding(&store, &traces).await, [""; 0]);
    assert_eq!(holding(&store, &EVE.traces()[2..]).await, others);
    assert_eq!(store.tenant_of(&number("1000")).await, Ok(None));
    let audit = store.audit(&tenant("barbers"), Page::first(9)).await.expect("listed");
    assert_eq!(audit.rows.len(), 2, "what was done to it is still told");
    // All of it may come again.
    store.create_user(&staff("barbers", 901)).await.expect("kept");
    store.put_business(&business("barbers", 1, &["1000"]), None).await.expect("written");
}

pub(crate) async fn the_time_of_erased_appointments_is_free(store: Store) {
    fill(&store).await;
    let (booking, occupied) = ADA.booking();
    erase_caller(&store, "barbers", ADA.number).await;
    let (from, until) = (occupied.from, occupied.until);
    assert_eq!(store.occupied(&booking.tenant, &occupied.resource, from, until).await, Ok(Vec::new()));
    let mut again = booking.clone();
    again.id = BookingId::new(uuid(84));
    let occupied = time_of(&again);
    written(store.book(&again, &occupied, &key("b/0")).await.expect("answered"));
}

pub(crate) async fn an_erasure_is_repeated_without_harm(store: Store) {
    fill(&store).await;
    let whole = store.erase_call(ADA.call(), Extent::Everything).await.expect("erased");
    assert!(!whole.erased.is_nothing());
    let again = store.erase_call(ADA.call(), Extent::Everything).await.expect("nothing to do");
    assert_eq!(again, Erasure::default());
    erase_caller(&store, "barbers", BEN.number).await;
    assert!(erase_caller(&store, "barbers", BEN.number).await.erased.is_nothing());
    erase_tenant(&store, "barbers").await;
    assert!(erase_tenant(&store, "barbers").await.erased.is_nothing());
    assert!(erase_tenant(&store, "nobody").await.erased.is_nothing());
    let wrong = Some(Cursor("zz".to_owned()));
    assert!(store.erase_tenant(&tenant("clinic"), wrong.clone()).await.is_err());
    assert!(store.erase_caller(&tenant("clinic"), &EVE.caller(), wrong).await.is_err());
}

pub(crate) async fn much_is_erased_in_steps(store: Store) {
    for id in 0..70 {
        store.put_call(&call("barbers", id, i64::from(id))).await.expect("written");
        let (one, time) = booking(id, i64::from(id) * 60, 30);
        written(store.book(&one, &time, &key(&format!("{id}/0"))).await.expect("answered"));
    }
    let events: Vec<CallEvent> = (0..2_500).map(|seq| event(seq, "noise")).collect();
    store.append_events(CallId::new(uuid(7)), &events).await.expect("appended");
    let first = store.erase_tenant(&tenant("barbers"), None).await.expect("erased");
    assert!(first.next.is_some(), "one step is not all");
    // The process died: another begins anew.
    let rest = erase_tenant(&store, "barbers").await.erased;
    assert_eq!((rest.calls, rest.events, rest.bookings), (70, 2_500, 70));
    assert_eq!(holding(&store, &[b"barbers".to_vec()]).await, [""; 0]);
}

pub(crate) async fn old_calls_are_listed_oldest_first(store: Store) {
    for (id, minute) in [(1, 50), (2, 10), (3, 30), (4, 40), (5, 20)] {
        store.put_call(&call("barbers", id, minute)).await.expect("written");
    }
    store.put_call(&call("clinic", 6, 0)).await.expect("written");
    let (mut ids, mut page) = (Vec::new(), Page::first(2));
    loop {
        let listing = store.old_calls(&tenant("barbers"), at(40), page).await.expect("listed");
        ids.extend(listing.rows.iter().map(|row| row.id));
        let Some(next) = listing.next else { break };
        page = Page { after: Some(next), limit: 2 };
    }
    assert_eq!(
        ids,
        [2, 5, 3].map(|id| CallId::new(uuid(id))),
        "what began at that very time is not before it"
    );
    let none = store.old_calls(&tenant("barbers"), at(10), Page::first(2)).await.expect("listed");
    assert_eq!(none.rows, []);
}

pub(crate) async fn an_erased_recording_is_not_written_again(store: Store) {
    fill(&store).await;
    store.erase_call(ADA.call(), Extent::Everything).await.expect("erased");
    // A merger that had read it before comes to its end.
    assert_eq!(store.update_recording(&ADA.recording()).await, Ok(false));
    assert_eq!(store.recording(ADA.recording().id).await, Ok(None));
    let removals = store.removals(Page::first(9)).await.expect("listed").rows;
    assert_eq!(removals.len(), 1);
    assert_eq!((removals[0].recording, &removals[0].tenant), (ADA.recording().id, &tenant("barbers")));
    store.forget_removal(ADA.recording().id).await.expect("forgotten");
    store.forget_removal(ADA.recording().id).await.expect("forgotten before");
    assert_eq!(store.removals(Page::first(9)).await.expect("listed").rows, []);
}

pub(crate) async fn recordings_with_work_left_are_listed(store: Store) {
    let mut row = Recording { finished: None, ..ADA.recording() };
    let listed = || async { store.recordings_to_merge(Page::first(9)).await.expect("listed").rows };
    store.put_recording(&row).await.expect("written");
    assert_eq!(listed().await, [], "it goes on");
    row.finished = ADA.recording().finished;
    assert_eq!(store.update_recording(&row).await, Ok(true));
    assert_eq!(listed().await, [row.clone()]);
    let merged = crate::storage::MergedRecording {
        object: "one".to_owned(),
        sealed_key: vec![1],
        lead: 0,
        chunks: Vec::new(),
        segments_removed: false,
    };
    row.merged = Some(merged.clone());
    store.update_recording(&row).await.expect("written");
    assert_eq!(listed().await, [row.clone()], "its segments are still there");
    row.merged = Some(crate::storage::MergedRecording { segments_removed: true, ..merged });
    store.update_recording(&row).await.expect("written");
    assert_eq!(listed().await, []);
}
