//! Thousands of calls, and nothing left of them.

use std::time::Duration;

use actors::call::leg::Event;
use cluster::edge::sip_trunk::Transport;
use tokio::time::sleep;

use super::desk::{self, ANSWERS, RINGS, UNKNOWN};
use super::sipp::{scenario, sipp};
use super::{address, quiet, settings};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_two_thousand_calls_leave_nothing() {
    let (trunk, media, desk) = desk::open(settings()).await;
    let target = address(&trunk, Transport::Udp);
    let watched = trunk.clone();
    let watching = tokio::spawn(async move {
        let mut most = watched.counts();
        loop {
            let now = watched.counts();
            most.dialogs = most.dialogs.max(now.dialogs);
            most.server_transactions = most.server_transactions.max(now.server_transactions);
            if most.dialogs > 20 && most.server_transactions > 20 {
                return most;
            }
            sleep(Duration::from_millis(5)).await;
        }
    });
    let cancels = scenario("cancel.xml");
    let refused = scenario("refused_404.xml");
    for arguments in [
        ["-sn", "uac", "-s", ANSWERS, "-m", "1600", "-r", "200", "-l", "400", "-d", "200"],
        ["-sf", &cancels, "-s", RINGS, "-m", "200", "-r", "100", "-l", "100", "-d", "0"],
        ["-sf", &refused, "-s", UNKNOWN, "-m", "200", "-r", "100", "-l", "100", "-d", "0"],
    ] {
        let (status, said) = sipp(target, &arguments).await;
        assert_eq!(status, 0, "{said}");
    }
    let most = tokio::time::timeout(Duration::from_secs(1), watching).await;
    assert!(most.is_ok_and(|most| most.is_ok()), "the counts never showed the calls");
    quiet(&trunk, Duration::from_secs(30)).await;
    assert_eq!(desk.count(|event| *event == Event::Established), 1_600);
    assert_eq!(desk.count(|event| matches!(event, Event::Ended(_))), 1_800);
    assert_eq!(desk.legs(), 0);
    assert_eq!(media.counts().sessions, 0);
    assert_eq!(media.counts().ports_in_use, 0);
    while trunk.counts().timers > 0 {
        sleep(Duration::from_millis(50)).await;
    }
    trunk.stop(Duration::from_secs(1)).await;
    assert_eq!(trunk.counts().tcp_connections, 0);
}
