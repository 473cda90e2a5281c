//! baresip, a softphone, as the caller.

use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;
use tokio::time::sleep;

use super::desk::{self, ANSWERS, HANGS_UP};
use super::softphone::Softphone;
use super::tones::tone;
use super::{address, quiet, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_baresip_dials_holds_resumes_and_hangs_up() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let (trunk, media, desk) = desk::open(settings()).await;
        let target = address(&trunk, transport);
        let mut phone = Softphone::start(transport, "PCMU", &tone(8_000, 440.0, 10)).await;
        phone.dial(ANSWERS, target);
        phone.until(&desk, ANSWERS, "up", |event| *event == Event::Established).await;
        phone.say("/hold");
        phone.until(&desk, ANSWERS, "held", |event| *event == Event::Held(true)).await;
        phone.say("/resume");
        phone.until(&desk, ANSWERS, "resumed", |event| *event == Event::Held(false)).await;
        sleep(Duration::from_millis(500)).await;
        phone.say("/hangup");
        let hung_up = Event::Ended(EndReason::CallerHungUp);
        phone.until(&desk, ANSWERS, "hung up", |event| *event == hung_up).await;

        phone.dial(HANGS_UP, target);
        let completed = Event::Ended(EndReason::Completed);
        phone.until(&desk, HANGS_UP, "completed", |event| *event == completed).await;
        quiet(&trunk, Duration::from_secs(20)).await;
        let received = desk.calls(ANSWERS).into_iter().flatten().find_map(|event| match event {
            Event::Quality(quality) => Some(quality.packets_received),
            _ => None,
        });
        assert!(received.is_some_and(|packets| packets > 20), "{received:?} packets of audio came");
        assert_eq!(media.counts().sessions, 0);
        trunk.stop(Duration::from_secs(1)).await;
    }
}
