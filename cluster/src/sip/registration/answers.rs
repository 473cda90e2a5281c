//! What registrars answer.

use sipx_sip::headers::Contact;
use sipx_sip::headers::address::ServiceRoute;

use super::super::destination;
use super::super::dialog::RequestId;
use super::super::respond::phrase;
use super::super::wire::{self, HeaderName, Response};
use super::state::{Asked, Phase, Reason};
use super::{Binding, Event, Failure, Moment, Place, Registration};

/// How often in a row a registrar may ask for a longer interval.
const TOO_BRIEF_MAX: u32 = 3;
/// The longest interval that is granted on demand, in seconds.
const EXPIRES_MOST_S: u32 = 86_400;
/// The longest Retry-After that is believed, in seconds.
const RETRY_AFTER_MOST_S: u64 = 3_600;
/// Proxies of a Service-Route that are kept.
const ROUTES_MAX: usize = 8;
/// When a binding is refreshed, in hundredths of its time.
const REFRESH_PERCENT: (u64, u64) = (80, 90);

impl Registration {
    pub(super) fn on_response(&mut self, now: Moment, id: RequestId, response: &Response) {
        let status = response.status.code();
        match &mut self.phase {
            Phase::Asking(asked) if asked.id == id => {
                asked.heard = true;
                if status >= 200 {
                    let asked = asked.clone();
                    self.timers.remove(&Reason::NextServer);
                    self.answered(now, asked, response);
                }
            }
            Phase::Leaving(asked) if asked.id == id && status >= 200 => {
                let place = asked.place.clone();
                let again = matches!(status, 401 | 407) && self.prover.challenged(response).is_ok();
                match again.then(|| self.send(&place, 0)).flatten() {
                    Some(id) => {
                        self.phase = Phase::Leaving(Asked { id, place, too_brief: 0, heard: false });
                    }
                    None => self.left(),
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, now: Moment, asked: Asked, response: &Response) {
        let status = response.status.code();
        let timing = self.settings.timing;
        match status {
            200..=299 => self.granted(now, asked.place, response),
            401 | 407 => match self.prover.challenged(response) {
                Ok(()) => self.ask(now, asked.place, asked.too_brief),
                Err(why) => self.give_up(now, Failure::Unprovable(why), timing.refused_ms),
            },
            423 => self.too_brief(now, asked, response),
            // This server, now: another may do better.
            408 | 480 | 500..=599 => {
                let asks = retry_after_s(response).map_or(timing.avoid_ms, |seconds| seconds * 1_000);
                self.avoid(&asked.place, asks);
                let phrase = said(response);
                self.ask_next(now, Failure::Servers { status, phrase });
            }
            // The account: another server knows no better.
            _ => self.give_up(now, refused(response), timing.refused_ms),
        }
    }

    fn too_brief(&mut self, now: Moment, asked: Asked, response: &Response) {
        let least_s = wire::text(&response.headers, &HeaderName::MinExpires)
            .and_then(|least| least.parse::<u32>().ok())
            .filter(|least| *least > self.expires_s && *least <= EXPIRES_MOST_S);
        match least_s.filter(|_| asked.too_brief < TOO_BRIEF_MAX) {
            Some(least_s) => {
                self.expires_s = least_s;
                self.ask(now, asked.place, asked.too_brief + 1);
            }
            None => self.give_up(now, refused(response), self.settings.timing.refused_ms),
        }
    }

    fn granted(&mut self, now: Moment, place: Place, response: &Response) {
        let Some(expires_s) = self.granted_s(&place, response).filter(|granted| *granted > 0) else {
            return self.give_up(now, Failure::NotKept, self.settings.timing.refused_ms);
        };
        let granted_ms = u64::from(expires_s) * 1_000;
        let (least, most) = REFRESH_PERCENT;
        let refresh_ms = self.draws.between(granted_ms * least / 100, granted_ms * most / 100);
        self.set(Reason::Refresh, now + refresh_ms);
        self.set(Reason::Expiry, now + granted_ms);
        self.avoid(&place, 0);
        let binding = Binding {
            target: place.target.clone(),
            expires_s,
            service_route: service_route(response),
            seen_as: seen_as(&place, response),
        };
        self.bound = Some(place);
        self.failures = 0;
        self.places.clear();
        self.phase = Phase::Registered;
        self.tell(Event::Registered(binding));
    }

    /// The time of our own binding among all that the registrar has (section 10.2.4). A registrar that lists none
    /// has taken what it was asked for.
    fn granted_s(&self, place: &Place, response: &Response) -> Option<u32> {
        let general = wire::text(&response.headers, &HeaderName::Expires).and_then(|text| text.parse().ok());
        let own = destination::uri(&self.contact(place))?;
        let mut any = false;
        for contact in response.headers.typed_all::<Contact>().filter_map(Result::ok) {
            any = true;
            let same = contact.uri.equivalent(&own)
                || (contact.uri.user() == own.user() && same_place(&contact.uri, &own));
            if same {
                let text = contact.param("expires").map(|value| String::from_utf8_lossy(value).into_owned());
                return text.map_or(general.or(Some(self.expires_s)), |text| text.parse().ok());
            }
        }
        if any { None } else { general.or(Some(self.expires_s)) }
    }
}

/// Registrars add and drop parameters of a Contact; its host and port they keep.
fn same_place(one: &wire::Uri, other: &wire::Uri) -> bool {
    let hosts = match (one.host(), other.host()) {
        (Some(one), Some(other)) => one.equivalent(other),
        _ => false,
    };
    hosts && one.port() == other.port()
}

fn service_route(response: &Response) -> Vec<String> {
    response
        .headers
        .typed_all::<ServiceRoute>()
        .filter_map(Result::ok)
        .take(ROUTES_MAX)
        .map(|route| String::from_utf8_lossy(&route.uri.to_bytes()).into_owned())
        .collect()
}

/// The address in our Via as the registrar saw it, where it is another than ours.
fn seen_as(place: &Place, response: &Response) -> Option<String> {
    let seen = destination::of_response(response)?.to_string();
    let said = place.via.rsplit(' ').next().unwrap_or_default();
    (seen != said).then_some(seen)
}

fn retry_after_s(response: &Response) -> Option<u64> {
    let text = wire::text(&response.headers, &HeaderName::RetryAfter)?;
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(|seconds: u64| seconds.min(RETRY_AFTER_MOST_S))
}

fn said(response: &Response) -> String {
    let said = String::from_utf8_lossy(&response.reason).into_owned();
    let said: String = said.chars().filter(|character| !character.is_control()).take(64).collect();
    if said.trim().is_empty() { phrase(response.status.code()).to_owned() } else { said }
}

fn refused(response: &Response) -> Failure {
    let status = response.status.code();
    let mend = match status {
        300..=399 => "it wants to be asked elsewhere; write that server into `server`",
        403 => "the account may not register, from here or at all; ask the provider, and check `user`",
        404 => "it does not know the account; check `user` and `identity`",
        405 | 501 => "it takes no registrations; set `register = false` and have it allow our address",
        423 => "it asks for an interval without end; set `expires_s` to what it wants",
        _ => "ask the provider what it wants",
    };
    Failure::Refused { status, phrase: said(response), mend }
}
