//! What the system tells of this process and of the machine (Linux; elsewhere nothing is known).

use std::time::Instant;

/// Ticks of a second in `/proc`: fixed for programs, whatever the kernel counts in.
const TICKS: f64 = 100.0;

/// Processor seconds until a moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    at: Instant,
    own: Option<f64>,
    all: Option<f64>,
}

/// Processors used since a moment.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub own: Option<f64>,
    pub others: Option<f64>,
}

impl Moment {
    pub fn now() -> Moment {
        Moment { at: Instant::now(), own: own_seconds(), all: all_seconds() }
    }

    pub fn used(&self) -> Used {
        let now = Moment::now();
        let wall = (now.at - self.at).as_secs_f64().max(1e-9);
        let own = now.own.zip(self.own).map(|(after, before)| after - before);
        let all = now.all.zip(self.all).map(|(after, before)| after - before);
        let others = all.zip(own).map(|(all, own)| ((all - own) / wall).max(0.0));
        Used { own: own.map(|own| own / wall), others }
    }
}

/// The most memory that this process has had, in MB (of 1024 * 1024 bytes).
pub fn peak_mb() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

fn own_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold anything; the fields after it count from the third.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at - 3).and_then(|field| field.parse::<f64>().ok());
    Some((ticks(14)? + ticks(15)?) / TICKS)
}

/// Of everyone on the machine.
fn all_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<f64> =
        text.lines().next()?.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
    let busy = [0, 1, 2, 5, 6, 7].iter().filter_map(|at| fields.get(*at)).sum::<f64>();
    (fields.len() >= 8).then_some(busy / TICKS)
}
