//! What goes into reaching people and what comes out.

use crate::call::hand_over;
use crate::types::{Callee, HandOverOutcome};

/// Whom to call, round after round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What the caller is told before the call is answered, where anything.
    pub announcement: Option<String>,
    /// The rounds; of an empty one nobody takes the call.
    pub rounds: Vec<Round>,
}

impl Plan {
    /// The same by a network that calls no more than so many at once.
    #[must_use]
    pub fn at_most(self, most: usize) -> Self {
        let most = most.max(1);
        let parts = |round: Round| {
            let Round { people, ring_ms, by_key } = round;
            let people: Vec<Vec<Callee>> = people.chunks(most).map(<[Callee]>::to_vec).collect();
            people.into_iter().map(move |people| Round { people, ring_ms, by_key })
        };
        Self { rounds: self.rounds.into_iter().flat_map(parts).collect(), ..self }
    }
}

/// People who are called at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Who.
    pub people: Vec<Callee>,
    /// How long it rings, in milliseconds.
    pub ring_ms: u64,
    /// They are told of the call and have to press a key to take it; else whoever answers has it.
    pub by_key: bool,
}

/// One person of one round, counted from 0 through all rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(pub u64);

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Something on a person's side.
    Person(PersonId, hand_over::Input),
    /// A person's line is heard although nobody has answered there.
    EarlyMedia(PersonId),
    /// A person's line that the caller was to hear is gone: it is not heard.
    NotHeard(PersonId),
    /// The caller's network has called this round's people, and none of them has the call.
    NobodyOf(HandOverOutcome),
    /// It is needed no more: the caller hung up, or the node stops.
    Stop,
    /// Time has passed; see [`Reaching::deadline`].
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Call this person.
    Call(PersonId, Callee),
    /// Have the caller's own network call these people at once.
    CallAll {
        /// Whom.
        people: Vec<(PersonId, Callee)>,
        /// How long it rings, in milliseconds.
        ring_ms: u64,
        /// They are told of the call and have to press a key to take it.
        by_key: bool,
    },
    /// Tell the person of the call.
    Say(PersonId),
    /// Let the caller hear this person's line, which does not hear the caller.
    LetHear(PersonId),
    /// The caller hears that line no more.
    LetHearNobody,
    /// Answer the caller, and put the two together.
    Join(PersonId),
    /// Hang the person up.
    Release(PersonId),
    /// The person with this name was tried: what became of it, none while it rings.
    Tried(String, Option<HandOverOutcome>),
    /// Nobody took the call: the receptionist is to answer.
    Nobody,
    /// The caller has spoken with somebody, who has hung up.
    Over,
}
