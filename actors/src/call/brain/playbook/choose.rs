//! Finding a time together: a wish, a search, an offer, a choice. Shared by booking and moving.

use std::collections::VecDeque;

use jiff::ToSpan;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::heard::Heard;
use super::parse::date::Days;
use super::parse::number::{ordinal, small};
use super::parse::time::{Clock, Part, TimeOfDay};
use super::say;
use super::state::{Asked, Pending};
use super::turn::Turn;
use super::wanted::{Search, Settled, Wanted};
use crate::types::{ResourceId, ServiceId, Slot, ToolCall};

/// How far the caller and the calendar have come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Choosing {
    pub(crate) wanted: Wanted,
    /// Only with this one.
    pub(crate) resource: Option<ResourceId>,
    /// Rather with this one.
    pub(crate) rather: Option<ResourceId>,
    searches: VecDeque<Search>,
    current: Option<Search>,
    pub(crate) offered: Vec<Slot>,
    pub(crate) slot: Option<Slot>,
}

impl Choosing {
    /// The wish has changed: what was found for the old one is void.
    pub(crate) fn reset(&mut self) {
        self.searches.clear();
        self.current = None;
        self.offered.clear();
        self.slot = None;
    }

    /// The day that is being talked about.
    fn day(&self, turn: &Turn<'_, '_>) -> Option<jiff::civil::Date> {
        let chosen = self.slot.as_ref().map(|slot| turn.local(slot.start).date());
        let mut offered = self.offered.iter().map(|slot| turn.local(slot.start).date());
        let common = offered.next().filter(|first| offered.all(|other| other == *first));
        chosen.or(common).or_else(|| self.wanted.day())
    }
}

/// Takes in whatever the utterance says about with whom and when. Whether it said anything new.
pub(crate) fn fill(turn: &mut Turn<'_, '_>, choosing: &mut Choosing, heard: &Heard) -> bool {
    let mut used = fill_staff(turn, choosing, heard);
    if matches!(turn.state.asked, Asked::Half)
        && let Some(afternoon) = half(heard)
        && heard.when.days.is_empty()
    {
        choosing.wanted.choose_half(afternoon);
        return true;
    }
    if choosing.slot.is_none() && !choosing.offered.is_empty() && matches!(turn.state.asked, Asked::Slot) {
        match pick(turn, choosing, heard) {
            Pick::Slot(slot) => {
                choosing.slot = Some(slot);
                return true;
            }
            Pick::Other => return true,
            Pick::Nothing => {}
        }
    }
    if heard.when.past.is_some() && heard.when.days.is_empty() {
        turn.say("I'm afraid that day is over.");
        choosing.reset();
        choosing.wanted = Wanted::default();
        return true;
    }
    if heard.when.is_empty() || says_what_is_chosen(turn, choosing, heard) {
        return used;
    }
    let day = choosing.day(turn);
    let mut when = heard.when.clone();
    let talked_about: Vec<jiff::civil::Date> =
        choosing.offered.iter().chain(&choosing.slot).map(|slot| turn.local(slot.start).date()).collect();
    if let Some(start) = choosing.slot.as_ref().map(|slot| turn.local(slot.start)) {
        // "No, make it Friday": in the week of the day that was chosen, at the same time.
        let monday = start.date().checked_sub(i64::from(start.weekday().to_monday_zero_offset()).days()).ok();
        for days in when.days.iter_mut().filter(|days| days.weekly) {
            let offset = i64::from(days.from.weekday().to_monday_zero_offset());
            let date = monday.and_then(|monday| monday.checked_add(offset.days()).ok());
            if let Some(date) = date
                && date >= turn.today()
            {
                *days = Days::one(date);
            }
        }
        if when.times.is_empty() && !when.days.is_empty() {
            when.times = vec![TimeOfDay::At(Clock::sure(start.time()))];
        }
    }
    for days in when.days.iter_mut().filter(|days| days.weekly) {
        if let Some(date) = talked_about.iter().find(|date| date.weekday() == days.from.weekday()) {
            *days = Days::one(*date);
        }
    }
    choosing.wanted.merge(&when, day);
    choosing.reset();
    used = true;
    used
}

fn fill_staff(turn: &Turn<'_, '_>, choosing: &mut Choosing, heard: &Heard) -> bool {
    let named = heard.staff.as_ref().and_then(|mention| turn.business().resources.get(mention.index));
    if let Some(resource) = named {
        let new = choosing.resource.as_ref() != Some(&resource.id);
        if new {
            let keep = choosing.slot.as_ref().is_some_and(|slot| slot.resource == resource.id);
            choosing.resource = Some(resource.id.clone());
            if !keep {
                choosing.reset();
            }
        }
        return new;
    }
    let freed = heard.any_staff && choosing.resource.is_some();
    if freed {
        choosing.resource = None;
        choosing.reset();
    }
    freed
}

/// Which half of the day an answer names.
fn half(heard: &Heard) -> Option<bool> {
    if heard.words.has_any(&["afternoon", "evening", "pm", "p m", "night", "later one", "the later"]) {
        return Some(true);
    }
    heard.words.has_any(&["morning", "am", "a m", "earlier one", "the earlier"]).then_some(false)
}

/// "Yes, tomorrow at three" names what is chosen already.
fn says_what_is_chosen(turn: &Turn<'_, '_>, choosing: &Choosing, heard: &Heard) -> bool {
    let Some(start) = choosing.slot.as_ref().map(|slot| turn.local(slot.start)) else { return false };
    !heard.when.soonest && says(heard, start)
}

/// Whether every day and time said is true of this start.
fn says(heard: &Heard, start: DateTime) -> bool {
    // "Thursday", where a Thursday was offered, is that Thursday.
    let same =
        |days: &Days| days.holds(start.date()) || days.weekly && days.from.weekday() == start.weekday();
    let day = heard.when.days.is_empty() || heard.when.days.iter().any(same);
    let time = heard.when.times.is_empty()
        || heard.when.times.iter().any(|time| match time {
            TimeOfDay::At(clock) | TimeOfDay::Around(clock) => clock.readings().contains(&start.time()),
            TimeOfDay::Part(part) => {
                let (from, until) = part.span();
                from <= start.time() && start.time() < until
            }
            TimeOfDay::After(clock) => clock.readings().iter().any(|time| *time <= start.time()),
            TimeOfDay::Before(clock) => clock.readings().iter().any(|time| start.time() < *time),
            TimeOfDay::Between(..) => false,
        });
    day && time
}

enum Pick {
    Slot(Slot),
    /// The wish was changed, or asked for anew.
    Other,
    Nothing,
}

fn pick(turn: &mut Turn<'_, '_>, choosing: &mut Choosing, heard: &Heard) -> Pick {
    let offered = choosing.offered.clone();
    let starts: Vec<DateTime> = offered.iter().map(|slot| turn.local(slot.start)).collect();
    let at = |place: usize| offered.get(place).cloned().map_or(Pick::Nothing, Pick::Slot);
    if let Some(place) = by_place(heard, offered.len()) {
        return at(place);
    }
    if !heard.when.days.is_empty() || !heard.when.times.is_empty() {
        let fitting: Vec<usize> = starts
            .iter()
            .enumerate()
            .filter(|(_, start)| says(heard, **start))
            .map(|(place, _)| place)
            .collect();
        match fitting.as_slice() {
            [only] => return at(*only),
            [_, _, ..] => {
                choosing.offered = fitting.iter().filter_map(|place| offered.get(*place).cloned()).collect();
                return Pick::Other;
            }
            [] => return Pick::Nothing,
        }
    }
    if elsewhen(choosing, heard, &starts) {
        return Pick::Other;
    }
    if heard.words.has_any(&["either", "any", "whichever", "you choose", "both are fine", "do not mind"]) {
        return at(0);
    }
    match heard.answer {
        Some(true) if offered.len() == 1 => at(0),
        Some(true) if heard.bare => {
            turn.say("Which one?");
            Pick::Other
        }
        Some(false) => {
            choosing.reset();
            choosing.wanted = Wanted::default();
            Pick::Other
        }
        _ => Pick::Nothing,
    }
}

/// "the first one", "number two", "the last".
fn by_place(heard: &Heard, count: usize) -> Option<usize> {
    let words = &heard.words;
    let fits = |place: u32| {
        usize::try_from(place).ok().filter(|place| (1..=count).contains(place)).map(|place| place - 1)
    };
    if words.has_any(&["the last", "last one", "latter", "the latest", "later one"]) {
        return count.checked_sub(1);
    }
    if words.has_any(&["the earliest", "earlier one", "former", "earliest one"]) {
        return Some(0);
    }
    for index in 0..words.len() {
        if words.any(index, &["number", "option"])
            && let Some(place) = small(words, index + 1).and_then(|(value, _)| fits(value))
        {
            return Some(place);
        }
        if let Some((value, length)) = ordinal(words, index) {
            let closes = index + length >= words.len()
                || words.any(index + length, &["one", "please", "option", "is", "would", "slot", "works"]);
            if closes && (words.before(index, 1) == "the" || words.len() <= 3) {
                return fits(value);
            }
        }
    }
    None
}

/// "Anything later?", "another day".
fn elsewhen(choosing: &mut Choosing, heard: &Heard, starts: &[DateTime]) -> bool {
    let (Some(first), Some(last)) = (starts.iter().min().copied(), starts.iter().max().copied()) else {
        return false;
    };
    let after = |days: i64| last.date().checked_add(days.days()).unwrap_or(last.date());
    if heard.words.has_any(&[
        "another day",
        "different day",
        "other day",
        "other days",
        "the next day",
        "day after",
    ]) {
        choosing.wanted.days = vec![Days { from: after(1), until: after(14), weekly: false }];
    } else if heard.words.has_any(&["later", "after that", "after those"]) {
        choosing.wanted.days = vec![Days::one(last.date())];
        choosing.wanted.times = vec![TimeOfDay::After(Clock::sure(last.time().saturating_add(1.minute())))];
    } else if heard.words.has_any(&["earlier", "sooner", "before that"]) {
        choosing.wanted.days = vec![Days::one(first.date())];
        choosing.wanted.times = vec![TimeOfDay::Before(Clock::sure(first.time()))];
    } else {
        return false;
    }
    choosing.wanted.soonest = false;
    choosing.reset();
    true
}

/// Takes the next step towards a time. The chosen one, or the turn is closed.
pub(crate) fn advance(
    turn: &mut Turn<'_, '_>,
    choosing: &mut Choosing,
    service: &ServiceId,
    question: &str,
) -> Option<Slot> {
    if let Some(slot) = &choosing.slot {
        return Some(slot.clone());
    }
    if !choosing.offered.is_empty() {
        offer(turn, choosing);
        return None;
    }
    if choosing.wanted.is_empty() {
        turn.ask(Asked::When, question);
        return None;
    }
    let (hours, now) = (&turn.business().hours, turn.now());
    match choosing.wanted.settle(hours, now) {
        Settled::AskHalf(time) => {
            let time = say::time::short(time, turn.style());
            turn.ask(Asked::Half, format!("Is that {time} in the morning, or in the evening?"));
            return None;
        }
        Settled::Over => {
            choosing.wanted.times.clear();
            turn.say("I'm afraid that time has passed.");
        }
        Settled::Ready => {}
    }
    if !choosing.wanted.has_day() {
        turn.ask(Asked::When, "Which day would suit you?");
        return None;
    }
    let limit = turn.today().checked_add(i64::from(turn.business().policy.booking_days_max).days());
    if limit.is_ok_and(|limit| {
        choosing.wanted.days.iter().all(|days| days.from > limit) && !choosing.wanted.days.is_empty()
    }) {
        let days = say::service::days(turn.business().policy.booking_days_max);
        choosing.wanted = Wanted::default();
        turn.say(format!("I'm afraid I can only book up to {days} ahead."));
        turn.ask(Asked::When, "Is there an earlier day that would suit you?");
        return None;
    }
    let searches = choosing.wanted.searches(turn.business(), now, turn.zone(), &turn.settings);
    choosing.searches = searches.into();
    search(turn, choosing, service);
    None
}

/// Looks into the calendar once more, or says that there is nothing.
fn search(turn: &mut Turn<'_, '_>, choosing: &mut Choosing, service: &ServiceId) {
    let Some(search) = choosing.searches.pop_front() else {
        choosing.reset();
        choosing.wanted = Wanted::default();
        turn.say("I'm sorry, I can't find anything free around then.");
        turn.ask(Asked::When, "Is there another day that would suit you?");
        return;
    };
    let call = ToolCall::FindSlots {
        service: service.clone(),
        resource: choosing.resource.clone(),
        window: search.window,
        limit: turn.settings.slots_max,
    };
    choosing.current = Some(search);
    turn.tool(Pending::Slots, call, "One moment, I'm looking at the calendar.");
}

/// The calendar has answered. True where a place was chosen by it; else the turn is closed.
pub(crate) fn found(
    turn: &mut Turn<'_, '_>,
    choosing: &mut Choosing,
    service: &ServiceId,
    slots: Vec<Slot>,
) -> bool {
    let Some(current) = choosing.current.take() else { return false };
    let now = turn.context.now.timestamp();
    let fitting: Vec<Slot> = slots
        .into_iter()
        .filter(|slot| slot.start >= now && &slot.service == service)
        .filter(|slot| choosing.resource.as_ref().is_none_or(|resource| &slot.resource == resource))
        .filter(|slot| current.window.from <= slot.start && slot.start < current.window.until)
        .filter(|slot| !current.asked || choosing.wanted.fits(turn.local(slot.start)))
        .collect();
    if fitting.is_empty() {
        search(turn, choosing, service);
        return false;
    }
    let exact = matches!(choosing.wanted.times.as_slice(), [TimeOfDay::At(_)]) && current.asked;
    let distinct = distinct(fitting, choosing.rather.as_ref());
    if exact && let Some(slot) = distinct.iter().find(|slot| Some(slot.start) == current.near) {
        choosing.slot = Some(slot.clone());
        return true;
    }
    if !current.asked {
        let sorry = not_free(turn, choosing);
        turn.say(sorry);
    }
    choosing.offered = choose_few(turn, &distinct, &current, choosing.wanted.soonest);
    offer_as(turn, choosing, !current.asked);
    false
}

/// Offers these instead; they came with "that time was just taken".
pub(crate) fn offer_alternatives(turn: &mut Turn<'_, '_>, choosing: &mut Choosing, slots: Vec<Slot>) -> bool {
    choosing.reset();
    let mut few = distinct(slots, choosing.rather.as_ref());
    few.truncate(turn.settings.offers_max);
    choosing.offered = few;
    if choosing.offered.is_empty() {
        return false;
    }
    offer_as(turn, choosing, true);
    true
}

/// One place for each start; with whom the caller would rather have.
fn distinct(slots: Vec<Slot>, rather: Option<&ResourceId>) -> Vec<Slot> {
    let mut distinct: Vec<Slot> = Vec::new();
    for slot in slots {
        match distinct.iter_mut().find(|other| other.start == slot.start) {
            Some(other) if rather == Some(&slot.resource) => *other = slot,
            Some(_) => {}
            None => distinct.push(slot),
        }
    }
    distinct.sort_by_key(|slot| slot.start);
    distinct
}

/// Few enough to be kept in mind: the nearest, one from each day, or spread over the day.
fn choose_few(turn: &Turn<'_, '_>, slots: &[Slot], search: &Search, soonest: bool) -> Vec<Slot> {
    let most = turn.settings.offers_max;
    if slots.len() <= most {
        return slots.to_vec();
    }
    let mut few: Vec<Slot> = Vec::new();
    if let Some(near) = search.near {
        let mut nearest = slots.to_vec();
        nearest.sort_by_key(|slot| slot.start.duration_since(near).abs());
        nearest.truncate(most);
        nearest.sort_by_key(|slot| slot.start);
        return nearest;
    }
    if soonest {
        few = slots.iter().take(most).cloned().collect();
        return few;
    }
    for slot in slots {
        let day = turn.local(slot.start).date();
        if few.len() < most && few.iter().all(|other| turn.local(other.start).date() != day) {
            few.push(slot.clone());
        }
    }
    if few.len() > 1 {
        return few;
    }
    let last = slots.len() - 1;
    [0, last / 2, last].into_iter().take(most).filter_map(|place| slots.get(place).cloned()).collect()
}

/// Why an alternative is offered.
fn not_free(turn: &Turn<'_, '_>, choosing: &Choosing) -> String {
    let (business, style, today) = (turn.business(), turn.style(), turn.today());
    let who =
        choosing.resource.as_ref().and_then(|id| business.resource(id)).map(|resource| resource.name.clone());
    let day = choosing.wanted.day();
    if let Some(day) = day.filter(|day| business.hours.on(*day).is_empty()) {
        return format!("I'm afraid we're closed {}.", say::date::on(day, today, style));
    }
    let on = day.map(|day| format!(" {}", say::date::on(day, today, style))).unwrap_or_default();
    match (choosing.wanted.times.as_slice(), who) {
        ([TimeOfDay::At(clock)], Some(who)) => {
            format!("I'm afraid {who} isn't free at {}{on}.", say::time::short(clock.time, style))
        }
        ([TimeOfDay::At(clock)], None) => {
            format!("I'm afraid {}{on} isn't free.", say::time::short(clock.time, style))
        }
        ([TimeOfDay::Part(part)], None) => {
            format!("I'm afraid there's nothing free{on} {}.", part_of_day(*part, on.is_empty()))
        }
        (_, Some(who)) => format!("I'm afraid {who} has nothing free then."),
        _ => format!("I'm afraid there's nothing free{}.", if on.is_empty() { " then" } else { on.as_str() }),
    }
}

fn part_of_day(part: Part, alone: bool) -> String {
    if alone || part == Part::Lunchtime {
        format!("at that time of the {}", "day")
    } else {
        format!("in the {}", part.name())
    }
}

/// Offers again what was offered.
fn offer(turn: &mut Turn<'_, '_>, choosing: &Choosing) {
    offer_as(turn, choosing, false);
}

fn offer_as(turn: &mut Turn<'_, '_>, choosing: &Choosing, nearest: bool) {
    let starts: Vec<DateTime> = choosing.offered.iter().map(|slot| turn.local(slot.start)).collect();
    let spoken = say::slots::offer(&starts, turn.now(), turn.style());
    let who = choosing.resource.as_ref().and_then(|id| turn.business().resource(id));
    let who = who.map(|resource| format!(" with {}", resource.name)).unwrap_or_default();
    let lead = if nearest { "The nearest I have is" } else { "I have" };
    let question = if starts.len() == 1 { "Would that suit you?" } else { "Which would suit you?" };
    turn.ask(Asked::Slot, format!("{lead} {spoken}{who}. {question}"));
}
