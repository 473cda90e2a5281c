//! Places in a model's tensors.

/// A place and who has it: a later stream in the same place has another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    /// The place, from 0 to the number of slots.
    pub slot: usize,
    /// How many streams had the place before, cancellations included.
    pub generation: u64,
}

/// All places of one model and what is known of who has them.
#[derive(Debug)]
pub struct Slots<T> {
    entries: Vec<Entry<T>>,
    /// Free places; the one freed last is given first, while its memory is warm.
    free: Vec<usize>,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u64,
    value: Option<T>,
}

impl<T> Slots<T> {
    /// `slots` free places.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let entries = (0..slots).map(|_| Entry { generation: 0, value: None }).collect();
        Self { entries, free: (0..slots).rev().collect() }
    }

    /// Takes a free place; gives `value` back where there is none.
    ///
    /// # Errors
    /// All places are taken.
    pub fn join(&mut self, value: T) -> Result<Ticket, T> {
        let Some(slot) = self.free.pop() else { return Err(value) };
        let Some(entry) = self.entries.get_mut(slot) else { return Err(value) };
        entry.value = Some(value);
        Ok(Ticket { slot, generation: entry.generation })
    }

    /// Frees the place. Whoever still holds the ticket is nobody from now on.
    pub fn leave(&mut self, ticket: Ticket) -> Option<T> {
        let entry = self.entry(ticket)?;
        let value = entry.value.take()?;
        entry.generation += 1;
        self.free.push(ticket.slot);
        Some(value)
    }

    /// The same stream in the same place under a new ticket; the old one is nobody's.
    pub fn renew(&mut self, ticket: Ticket) -> Option<Ticket> {
        let entry = self.entry(ticket)?;
        entry.generation += 1;
        Some(Ticket { slot: ticket.slot, generation: entry.generation })
    }

    /// What is known of the ticket's stream, if it is still there.
    #[must_use]
    pub fn get(&self, ticket: Ticket) -> Option<&T> {
        let entry = self.entries.get(ticket.slot).filter(|entry| entry.generation == ticket.generation)?;
        entry.value.as_ref()
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, ticket: Ticket) -> Option<&mut T> {
        self.entry(ticket)?.value.as_mut()
    }

    /// Everybody, by place.
    pub fn iter(&self) -> impl Iterator<Item = (Ticket, &T)> {
        self.entries.iter().enumerate().filter_map(|(slot, entry)| {
            Some((Ticket { slot, generation: entry.generation }, entry.value.as_ref()?))
        })
    }

    /// How many places are taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// How many places there are.
    #[must_use]
    pub fn all(&self) -> usize {
        self.entries.len()
    }

    fn entry(&mut self, ticket: Ticket) -> Option<&mut Entry<T>> {
        self.entries
            .get_mut(ticket.slot)
            .filter(|entry| entry.generation == ticket.generation && entry.value.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_ticket_is_nobodys() {
        let mut slots = Slots::new(1);
        let first = slots.join("first").expect("free");
        assert_eq!(slots.join("second"), Err("second"));
        assert_eq!(slots.leave(first), Some("first"));
        let second = slots.join("second").expect("freed");
        assert_eq!(second.slot, first.slot);
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.leave(first), None);
        assert_eq!(slots.renew(first), None);
        let renewed = slots.renew(second).expect("there");
        assert_eq!((slots.get(second), slots.get(renewed)), (None, Some(&"second")));
        assert_eq!(slots.taken(), 1);
    }
}
