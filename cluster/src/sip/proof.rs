//! Answers to those who ask us for a password (RFC 3261 section 22, RFC 7616, RFC 8760): 401 and 407.
//!
//! A nonce is used again for the next request, with its count raised, so that a challenge costs one round trip and
//! not one per request. Of several hashes the strongest is taken, whatever order they come in (RFC 8760 section 3).

use sipx_sip::auth::{Challenge, Credentials, respond as answer_to, strongest};

use super::wire::{HeaderName, Method, Response};

/// How often in a row a nonce may be called stale before that counts as a loop.
const STALE_MAX: u32 = 2;
/// Realms that one account answers for at once: its own and those of the proxies on the way.
const REALMS_MAX: usize = 8;

/// Who we are to somebody who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// The only realm that may have an answer, where one is named: a password is not proved to everybody who asks.
    pub realm: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Account").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// Why a challenge has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unprovable {
    /// The 401 or 407 asks nothing that can be answered.
    #[error("it asks for a password but sends no Digest challenge that is known here")]
    NoChallenge,
    /// It asks in the name of another realm than the account's.
    #[error("it asks in the name of \"{realm}\", and the account is for another realm")]
    OtherRealm {
        /// The realm that asks.
        realm: String,
    },
    /// The answer to its own nonce was refused.
    #[error("it refuses the user or the password (realm \"{realm}\")")]
    Wrong {
        /// The realm that asks.
        realm: String,
    },
    /// It calls each new nonce stale.
    #[error("it calls every answer stale (realm \"{realm}\")")]
    Stale {
        /// The realm that asks.
        realm: String,
    },
}

/// Answers challenges in the name of one account.
#[derive(Debug, Clone)]
pub struct Prover {
    account: Account,
    spaces: Vec<Space>,
}

/// What one realm asked last.
#[derive(Debug, Clone)]
struct Space {
    challenge: Challenge,
    /// How often its nonce was used.
    count: u32,
    /// How many nonces in a row were stale.
    stale: u32,
}

impl Prover {
    /// One that was not asked yet.
    #[must_use]
    pub const fn new(account: Account) -> Self {
        Self { account, spaces: Vec::new() }
    }

    /// Whether a request can be answered for before anybody asks.
    #[must_use]
    pub const fn was_asked(&self) -> bool {
        !self.spaces.is_empty()
    }

    /// Takes the challenges of a 401 or 407 to a request that carried [`Prover::headers`], if anybody had asked.
    ///
    /// # Errors
    /// Why asking again would not help. What was known of the realm is forgotten then.
    pub fn challenged(&mut self, response: &Response) -> Result<(), Unprovable> {
        let mut asked = false;
        for (name, from_proxy) in
            [(HeaderName::WwwAuthenticate, false), (HeaderName::ProxyAuthenticate, true)]
        {
            let mut all: Vec<Challenge> = response
                .headers
                .get_all(&name)
                .filter_map(|header| Challenge::parse(&header.value(), from_proxy))
                .collect();
            while let Some(first) = all.first() {
                let realm = first.realm.clone();
                let (same, others) = all.into_iter().partition(|challenge| challenge.realm == realm);
                all = others;
                let Some(best) = strongest(same) else { break };
                if self.account.realm.as_ref().is_some_and(|own| *own != realm) {
                    return Err(Unprovable::OtherRealm { realm });
                }
                self.take(best)?;
                asked = true;
            }
        }
        if asked { Ok(()) } else { Err(Unprovable::NoChallenge) }
    }

    fn take(&mut self, challenge: Challenge) -> Result<(), Unprovable> {
        let realm = challenge.realm.clone();
        let known = self
            .spaces
            .iter()
            .position(|space| same_space(&space.challenge, &challenge))
            .map(|at| self.spaces.remove(at));
        let stale = match known {
            // The first use of its nonce was refused: the answer itself is wrong, unless it says otherwise.
            Some(space) if space.count == 1 && !challenge.stale => return Err(Unprovable::Wrong { realm }),
            Some(space) if space.count == 1 => space.stale + 1,
            // A nonce that had done its work has run out.
            _ => 0,
        };
        if stale > STALE_MAX || self.spaces.len() >= REALMS_MAX {
            return Err(Unprovable::Stale { realm });
        }
        self.spaces.push(Space { challenge, count: 0, stale });
        Ok(())
    }

    /// The headers that prove who sends this request, for every realm that has asked; none where none has. `cnonce`
    /// is a number that nobody else chose.
    pub fn headers(&mut self, method: &Method, uri: &str, cnonce: u64) -> Vec<(HeaderName, String)> {
        let credentials = Credentials::new(self.account.user.as_str(), self.account.password.as_str());
        let (method, cnonce) = (method.to_string(), format!("{cnonce:016x}"));
        self.spaces
            .iter_mut()
            .map(|space| {
                space.count += 1;
                let value = answer_to(&space.challenge, &credentials, &method, uri, space.count, &cnonce);
                (space.challenge.response_header(), value)
            })
            .collect()
    }
}

fn same_space(one: &Challenge, other: &Challenge) -> bool {
    one.realm == other.realm && one.from_proxy == other.from_proxy
}

#[cfg(test)]
mod tests;
