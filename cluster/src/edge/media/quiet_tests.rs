//! What is sent while nothing is said: silence, comfort noise, or what a waiting caller hears.

use std::time::Duration;

use models::audio::{Clip, audio_ring};

use super::tests::{Far, Party, pair, settings, sides, stream, tone, wait_until};
use super::*;

fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn sound() -> Clip {
    Clip::with_estimated_words(8_000, tone(8_000, 400.0, 8_000).into(), "")
}

#[test]
fn a_waiting_caller_hears_the_sound_until_somebody_speaks() {
    let media = Media::start(Settings { waiting_ms: 200, ..settings(23_000) }).unwrap();
    let party = Party::of(&media);
    let far = Far::of(&party);
    party.configure(stream(far.address(), Codec::Pcmu));
    sleep(400);
    assert!(far.came().iter().all(|(_, loud)| !loud), "nothing is heard by who does not wait");
    party.session.control(Control::Wait(Some(sound()))).unwrap();
    sleep(1_600);
    let came = far.came();
    let loud = came.iter().filter(|(_, loud)| *loud).count();
    assert!(loud > 50 && came.len() - loud >= 9, "{loud} of {}", came.len());
    // What is said is heard alone: it begins quiet, so that the sound would be heard in it.
    party.play(1, 8_000, vec![0; 8_000]);
    assert!(party.wait_for(|event| matches!(event, MediaEvent::PlaybackStarted { .. })));
    sleep(60);
    far.came();
    sleep(500);
    let came = far.came();
    assert!(came.len() > 15 && came.iter().all(|(_, loud)| !loud), "{came:?}");
    assert!(party.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { complete: true, .. })));
    sleep(600);
    assert!(far.came().iter().any(|(_, loud)| *loud), "then it goes on");
    party.session.control(Control::Wait(None)).unwrap();
    sleep(80);
    far.came();
    sleep(400);
    assert!(far.came().iter().all(|(_, loud)| !loud), "and ends when nobody waits");
}

#[test]
fn who_holds_the_call_is_sent_nothing_however_long_they_wait() {
    let media = Media::start(Settings { waiting_ms: 100, ..settings(23_100) }).unwrap();
    let party = Party::of(&media);
    let far = Far::of(&party);
    let agreed = stream(far.address(), Codec::Pcmu);
    party.session.control(Control::Wait(Some(sound()))).unwrap();
    for direction in [Direction::Inactive, Direction::ReceiveOnly] {
        party.configure(Stream { direction, ..agreed.clone() });
        sleep(80);
        far.came();
        sleep(400);
        assert_eq!(far.came().len(), 0, "{direction:?}");
    }
    party.configure(agreed);
    sleep(500);
    assert!(far.came().iter().any(|(_, loud)| *loud));
}

#[test]
fn who_is_put_together_with_somebody_waits_no_more() {
    let media = Media::start(Settings { waiting_ms: 100, ..settings(23_200) }).unwrap();
    let party = Party::of(&media);
    let far = Far::of(&party);
    party.configure(stream(far.address(), Codec::Pcmu));
    party.session.control(Control::Wait(Some(sound()))).unwrap();
    sleep(500);
    assert!(far.came().iter().any(|(_, loud)| *loud));
    let ((says, _heard), (_said, hears)) = (audio_ring(8_000, 1_600), audio_ring(8_000, 1_600));
    party.session.control(Control::Bridge { says, hears }).unwrap();
    sleep(60);
    far.came();
    sleep(400);
    let came = far.came();
    assert!(came.len() > 10 && came.iter().all(|(_, loud)| !loud), "{came:?}");
}

#[test]
fn a_line_waits_too() {
    let settings = Settings { waiting_ms: 100, ..settings(23_300) };
    let media = Media::start(settings).unwrap();
    let (line, mut end) = media.line();
    let session = media.open_line(actors::types::CallId::default(), std::sync::Arc::new(|_| {})).unwrap();
    session.control(Control::Attach(line)).unwrap();
    session.control(Control::Wait(Some(sound()))).unwrap();
    sleep(1_000);
    let mut frames = 0;
    while let Ok(sent) = end.to_send.try_recv() {
        frames += usize::from(matches!(sent, Sent::Audio(audio) if audio.iter().any(|one| *one != 0)));
    }
    // Twenty milliseconds at a time, at their own time: nothing of it lies before what is said next.
    assert!((30..=48).contains(&frames), "{frames}");
}

#[test]
fn a_silence_is_comfort_noise_where_that_was_agreed_on() {
    let media = Media::start(settings(23_400)).unwrap();
    let party = Party::of(&media);
    let far = Far::of(&party);
    party.configure(Stream { comfort_noise: Some(13), ..stream(far.address(), Codec::Pcmu) });
    sleep(1_750);
    let came = far.came();
    let (noise, audio): (Vec<_>, Vec<_>) =
        came.iter().copied().partition(|(header, _)| header.payload_type == 13);
    // 200 ms of silence as audio, then a packet each half a second.
    assert!((9..=11).contains(&audio.len()) && (3..=4).contains(&noise.len()), "{came:?}");
    party.play(1, 8_000, tone(8_000, 500.0, 1_600));
    assert!(party.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { complete: true, .. })));
    sleep(50);
    let again = far.came();
    let first = again.iter().find(|(header, _)| header.payload_type == 0).unwrap().0;
    assert!(first.marker, "the first after a silence says so");
    // The timestamps went on through the silence, and no sequence number is missing.
    let begun = came[0].0;
    let elapsed_ms = first.timestamp.wrapping_sub(begun.timestamp) / 8;
    assert!((1_700..2_400).contains(&elapsed_ms), "{elapsed_ms}");
    let all: Vec<_> = came.iter().chain(&again).map(|(header, _)| header.sequence).collect();
    assert!(all.windows(2).all(|two| two[1] == two[0].wrapping_add(1)), "{all:?}");
}

#[test]
fn two_that_send_comfort_noise_miss_nothing() {
    let media = Media::start(settings(23_500)).unwrap();
    let (one, two) = pair(&media, Codec::G722);
    for (party, other) in [(&one, &two), (&two, &one)] {
        let agreed = stream(other.session.local_address(), Codec::G722);
        party.configure(Stream { comfort_noise: Some(13), ..agreed });
    }
    let (sender, mut recording) = audio_ring(8_000, 64_000);
    two.session.control(Control::Record(sender)).unwrap();
    one.play(1, 8_000, tone(8_000, 500.0, 4_000));
    assert!(one.wait_for(|event| matches!(event, MediaEvent::PlaybackEnded { complete: true, .. })));
    assert!(wait_until(|| recording.waiting() > 2 * 16_000));
    let (theirs, _) = sides(&mut recording);
    let quiet = &theirs[theirs.len() - 4_000..];
    let level: f32 = quiet.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / 4_000.0;
    assert!((170.0..680.0).contains(&level), "65 dB below overload, within 3: {level}");
    let quality = two.quality();
    assert_eq!((quality.packets_lost, quality.concealed_ms), (0, 0), "{quality:?}");
    assert!(quality.packets_received < 60, "{quality:?}");
}
