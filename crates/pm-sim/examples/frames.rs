//! Prints the frames of a simulated stretch: `cargo run -p pm-sim --example frames -- [seconds] [makers] [seed]`; with `seconds` above 60
//! only the counts per feed.
#![allow(clippy::print_stdout)]

use std::error::Error;

use pm_sim::{SimConfig, Simulator};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let seconds: u64 = args.next().map_or(Ok(5), |a| a.parse())?;
    let makers = args.next().map_or(Ok(SimConfig::default().makers), |a| a.parse())?;
    let seed = args.next().map_or(Ok(1), |a| a.parse())?;
    let mut sim = Simulator::new(SimConfig { seed, makers, duration_s: Some(seconds), ..SimConfig::default() })?;
    let names = sim.feeds().to_vec();
    let mut counts = vec![(0_u64, 0_usize); names.len()];
    while let Some(frame) = sim.next() {
        if let Some((n, bytes)) = counts.get_mut(frame.feed) {
            *n += 1;
            *bytes += frame.bytes.len();
        }
        if seconds <= 60 {
            let name = names.get(frame.feed).copied().unwrap_or_default();
            println!("{} {name} {}", frame.at, String::from_utf8_lossy(frame.bytes));
        }
    }
    let total: u64 = counts.iter().map(|c| c.0).sum();
    for (name, (n, bytes)) in names.iter().zip(counts) {
        println!("{name:20} {n:8} frames {bytes:10} bytes");
    }
    println!(
        "{total} frames in {seconds} s, {} events resolved, {} markets live",
        sim.windows_resolved(),
        sim.truth().live_markets()
    );
    Ok(())
}
