//! Kamailio between the caller and the trunk: two transports, two Record-Routes, every request of a call
//! through it.

use std::net::SocketAddr;
use std::time::Duration;

use actors::call::leg::Event;
use actors::types::EndReason;
use cluster::edge::sip_trunk::Transport;
use tokio::time::sleep;

use super::desk::{self, ANSWERS, HANGS_UP};
use super::peer::Peer;
use super::sipp::{scenario, sipp};
use super::{address, quiet, settings};

fn configuration(own: SocketAddr, trunk: SocketAddr, transport: &str) -> String {
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:{own}
listen=tcp:{own}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("rr", "enable_double_rr", 1)
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
    sl_send_reply("404", "Not Here");
    exit;
  }}
  t_check_trans();
  if (is_method("INVITE")) {{ record_route(); }}
  $du = "sip:{trunk};transport={transport}";
  t_relay();
}}
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peer_kamailio_stays_in_the_path_of_every_request() {
    for (transport, parameter) in [(Transport::Udp, "udp"), (Transport::Tcp, "tcp")] {
        let (trunk, _media, desk) = desk::open(settings()).await;
        let home = tempfile::tempdir().unwrap();
        let own = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = home.path().join("kamailio.cfg");
        std::fs::write(&file, configuration(own, address(&trunk, transport), parameter)).unwrap();
        let (file, run) = (file.to_string_lossy().into_owned(), home.path().to_string_lossy().into_owned());
        let log = home.path().join("log");
        let arguments = ["-DD", "-E", "-m", "32", "-M", "8", "-f", &file, "-Y", &run, "-w", &run];
        let _proxy = Peer::start("kamailio", &arguments, &log);
        sleep(Duration::from_secs(2)).await;
        for (name, number, ending) in [
            ("routed.xml", ANSWERS, EndReason::CallerHungUp),
            ("routed_hung_up_on.xml", HANGS_UP, EndReason::Completed),
        ] {
            let arguments =
                ["-sf", &scenario(name), "-s", number, "-m", "3", "-r", "10", "-recv_timeout", "10000"];
            let (status, said) = sipp(own, &arguments).await;
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            assert_eq!(status, 0, "{name} by {transport:?}: {said}\n{log}");
            quiet(&trunk, Duration::from_secs(20)).await;
            let calls = desk.calls(number);
            assert_eq!(calls.len(), 3);
            assert!(calls.iter().all(|events| events.contains(&Event::Ended(ending))), "{calls:?}");
        }
        trunk.stop(Duration::from_secs(1)).await;
    }
}

/// A registrar and proxy that asks `alice` for the password `secret`.
pub(super) struct Registrar {
    pub(super) address: SocketAddr,
    home: tempfile::TempDir,
    _peer: Peer,
}

impl Registrar {
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

fn registrar_configuration(own: SocketAddr) -> String {
    format!(
        r#"#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:{own}
listen=tcp:{own}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("registrar", "min_expires", 30)
modparam("auth", "algorithm", "SHA-256")
request_route {{
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK") && t_check_trans()) {{ t_relay(); exit; }}
    exit;
  }}
  t_check_trans();
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("provider", "secret", "0")) {{ www_challenge("provider", "1"); exit; }}
    save("location");
    exit;
  }}
  if (is_method("INVITE")) {{ record_route(); }}
  if (!lookup("location")) {{ sl_send_reply("404", "Not Registered"); exit; }}
  t_relay();
}}
"#
    )
}

pub(super) async fn registrar() -> Registrar {
    let home = tempfile::tempdir().unwrap();
    let own = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = home.path().join("kamailio.cfg");
    std::fs::write(&file, registrar_configuration(own)).unwrap();
    let (file, run) = (file.to_string_lossy().into_owned(), home.path().to_string_lossy().into_owned());
    let arguments = ["-DD", "-E", "-m", "32", "-M", "8", "-f", &file, "-Y", &run, "-w", &run];
    let peer = Peer::start("kamailio", &arguments, &home.path().join("log"));
    super::peer::bound("udp", own.port()).await;
    super::peer::bound("tcp", own.port()).await;
    Registrar { address: own, home, _peer: peer }
}
