//! What the caller hears while people are called and nobody has answered.

use metrics::counter;
use models::audio::{Clip, TELEPHONE_HZ, audio_ring};

use super::people::BRIDGE_MS;
use crate::call::leg::Command;
use crate::call::reaching::Before;
use crate::call::shell::Shell;
use crate::metrics::HEARD_EARLY;

impl Shell {
    /// Tells the caller what the business wants them told, and lets them hear what the settings say.
    pub(super) fn let_caller_hear(&mut self, announcement: Option<String>) {
        let sound = self.services.settings.early_media.sound;
        if announcement.is_none() && sound == Before::Network {
            return;
        }
        self.command(Command::Progress);
        self.rings_by_us = true;
        if let Some(text) = announcement {
            counter!(HEARD_EARLY, "what" => "announcement").increment(1);
            self.announce(text);
        }
        if sound != Before::Network {
            counter!(HEARD_EARLY, "what" => "sound").increment(1);
        }
        let sound = self.early_sound();
        self.command(Command::Wait(sound));
    }

    /// What is heard where nothing is said: once a caller hears us, their own network lets them hear nothing.
    fn early_sound(&self) -> Option<Clip> {
        let settings = &self.services.settings.early_media;
        let waiting = match settings.sound {
            Before::Waiting => self.services.waiting_sounds.of(self.case.tenant.tenant()),
            Before::Network | Before::RingTone => None,
        };
        Some(waiting.unwrap_or_else(|| settings.ring_tone.clip()))
    }

    /// Lets the caller hear a person's line. The line hears nothing: nobody there has answered, and no call that nobody
    /// has answered carries what its caller says. False where the line is gone.
    pub(super) fn let_hear_person(&mut self, number: u64) -> bool {
        let samples = usize::try_from(TELEPHONE_HZ / 1_000 * BRIDGE_MS).unwrap_or_default();
        let (person_says, caller_hears) = audio_ring(TELEPHONE_HZ, samples);
        let (caller_says, _nobody) = audio_ring(TELEPHONE_HZ, 1);
        let (_nothing, person_hears) = audio_ring(TELEPHONE_HZ, 1);
        if !self.person_command(number, Command::Bridge { says: person_says, hears: person_hears }) {
            return false;
        }
        counter!(HEARD_EARLY, "what" => "line").increment(1);
        // What the business has them told is heard beside it.
        self.command(Command::Progress);
        self.rings_by_us = true;
        self.command(Command::Bridge { says: caller_says, hears: caller_hears });
        true
    }

    /// That line is heard no more: it rings again.
    pub(super) fn let_hear_nobody(&mut self) {
        self.command(Command::Part);
        let sound = self.early_sound();
        self.command(Command::Wait(sound));
    }

    /// The receptionist answers.
    pub(super) fn hears_no_more(&mut self) {
        if std::mem::take(&mut self.rings_by_us) {
            self.command(Command::Wait(None));
        }
    }
}
