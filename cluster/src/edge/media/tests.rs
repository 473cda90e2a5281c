use std::sync::Arc;
use std::time::Duration;

use actors::call::conversation::UtteranceId;
use actors::types::CallId;
use models::audio::{Clip, Speech, audio_ring};

use super::*;

fn tone(hz: f32, count: usize) -> Vec<i16> {
    (0..count)
        .map(|index| (8_000.0 * (index as f32 * hz * std::f32::consts::TAU / 8_000.0).sin()) as i16)
        .collect()
}

#[test]
fn two_sessions_hear_each_other() {
    let media = Media::start(Settings {
        address: [127, 0, 0, 1].into(),
        first_port: 21_000,
        last_port: 21_099,
        ..Settings::default()
    })
    .unwrap();
    let nothing: MediaEvents = Arc::new(|_| {});
    let one = media.open(CallId::default(), Arc::clone(&nothing)).unwrap();
    let two = media.open(CallId::default(), nothing).unwrap();
    for (session, other) in [(&one, &two), (&two, &one)] {
        session
            .control(Control::Configure(Stream {
                remote: other.local_address(),
                codec: Codec::Pcmu,
                payload_type: 0,
                telephone_event: None,
                direction: Direction::SendReceive,
                packet_ms: 20,
            }))
            .unwrap();
    }
    let (sender, mut receiver) = audio_ring(8_000, 16_000);
    two.control(Control::Listen(sender)).unwrap();
    let clip = Clip::with_estimated_words(8_000, tone(440.0, 8_000).into(), "beep");
    one.control(Control::Play { utterance: UtteranceId(0), speech: Speech::clip(clip) }).unwrap();
    std::thread::sleep(Duration::from_millis(1_300));
    let mut heard = vec![0; 16_000];
    let count = receiver.read(&mut heard);
    assert!(count > 8_000);
    let energy: i64 = heard.iter().map(|sample| i64::from(*sample).pow(2)).sum();
    assert!(energy > 7_000 * 30_000_000, "{energy}");
    drop((one, two));
    media.stop();
    assert_eq!(media.counts().ports_in_use, 0);
}
