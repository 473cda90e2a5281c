//! How fast the machine is now. One whose speed changes by the hour gives other figures for the same program; beside
//! these three they can be compared.

use std::net::UdpSocket;
use std::time::Duration;

use super::cost_of;
use cluster::clock;

/// The least processor time that is measured over, in seconds: the kernel counts hundredths.
const SPAN_S: f64 = 0.5;
/// The longest that measuring takes on a machine that gives this process no time.
const LONGEST: Duration = Duration::from_secs(5);
/// Lines of memory that are read.
const LINES: u32 = (16 << 20) / 64;
/// What is done between two looks at the clock.
const AT_ONCE: u32 = 1_000;

/// What the machine takes for three fixed things, in microseconds of one core.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    /// A datagram of G.711's size sent and received over loopback, one system call for each: what the kernel takes of
    /// every packet whatever we do.
    pub datagram_us: f64,
    /// 10,000 steps of a generator of random numbers that wait for each other: the core itself.
    pub steps_us: f64,
    /// 1,000 reads across 16 MiB, each of which says where the next is: what is in no cache of the core. On a machine
    /// that others share this changes most, and with it what a call costs, of whose state little stays in a cache for
    /// 20 ms.
    pub reads_us: f64,
}

/// Measures it, in about two seconds. Nothing else should run.
///
/// # Errors
/// Where there is no loopback.
pub fn pace() -> std::io::Result<Pace> {
    let (from, to) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    to.set_read_timeout(Some(Duration::from_secs(1)))?;
    let target = to.local_addr()?;
    let mut packet = [0_u8; 172];
    let datagram_us = each_us(|| {
        from.send_to(&packet, target)?;
        to.recv(&mut packet).map(drop)
    })?;
    let mut state = 0x9e37_79b9_u64;
    let steps_us = each_us(|| {
        for _ in 0..10_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
        }
        std::hint::black_box(state);
        Ok(())
    })?;
    let (lines, mut at) = (ring_of_lines(), 0);
    let reads_us = each_us(|| {
        for _ in 0..1_000 {
            at = lines.get(at).map_or(0, |line| line[0] as usize);
        }
        std::hint::black_box(at);
        Ok(())
    })?;
    Ok(Pace { datagram_us, steps_us, reads_us })
}

/// 16 MiB of lines of 64 bytes, each with the place of another, so that all are one ring in no order (Sattolo).
fn ring_of_lines() -> Vec<[u32; 16]> {
    let mut order: Vec<u32> = (0..LINES).collect();
    let mut state = 0x9e37_79b9_u32;
    for last in (1..order.len()).rev() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        order.swap(last, (state >> 8) as usize % last);
    }
    order.into_iter().map(|next| [next; 16]).collect()
}

/// Processor time of one of these, in microseconds.
fn each_us(mut make: impl FnMut() -> std::io::Result<()>) -> std::io::Result<f64> {
    let spent = || cost_of(std::process::id()).map_or(0.0, |cost| cost.cpu_s);
    let (before, began, mut made) = (spent(), clock::monotonic(), 0_u32);
    while spent() - before < SPAN_S && clock::since(began) < LONGEST {
        for _ in 0..AT_ONCE {
            make()?;
        }
        made = made.saturating_add(AT_ONCE);
    }
    Ok((spent() - before) * 1e6 / f64::from(made.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_takes_some_time() {
        let Pace { datagram_us, steps_us, reads_us } = pace().unwrap();
        assert!(datagram_us > 0.0 && steps_us > 0.0 && reads_us > 0.0);
    }

    #[test]
    fn all_lines_are_one_ring() {
        let lines = ring_of_lines();
        let (mut at, mut seen) = (0, 0);
        loop {
            at = lines[at][0] as usize;
            seen += 1;
            if at == 0 {
                break;
            }
        }
        assert_eq!(seen, LINES);
    }
}
