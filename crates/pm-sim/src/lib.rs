//! Synthetic markets that speak the venues' wire formats, from one seed.
//!
//! A [`Simulator`] is a small world: underlyings with stochastic volatility and jumps, an oracle, a spot venue with candles, a perpetual
//! with a book, and rolling outcome markets with makers and takers. Everything it says comes out as the frames that the real venues send,
//! so that the same decoders, books and rules are used as with live data. It shares no code with them: what it makes, it makes (and
//! checks) with its own.
//!
//! - The same seed and configuration give the same bytes on every machine.
//! - Parts draw from separate streams of the seed: other makers trade on the same prices and see the same outcomes.
//! - [`MakerParams`] has the table of how late and how wrong each kind of maker is.
//! - Fair values under the simulated law are in [`Truth`]; they use each market's own settlement rule.
//!
//! ```
//! use pm_sim::{MakerKind, SimConfig, Simulator};
//! let mut sim = Simulator::new(SimConfig { seed: 7, makers: MakerKind::Careless, ..SimConfig::default() })?;
//! let frame = sim.next().map(|f| (f.feed, f.bytes.len()));
//! assert!(frame.is_some());
//! # Ok::<(), pm_sim::SimError>(())
//! ```

mod asset;
mod book;
mod calendar;
mod clob;
mod config;
mod desk;
mod dice;
mod fair;
mod gamma;
mod ids;
mod maker;
mod market;
mod num;
mod oracle;
mod perp;
mod schedule;
mod sim;
mod spot;
mod tape;
mod text;
mod truth;

pub use config::{AssetConfig, Family, FamilyConfig, MakerKind, Rates, SimConfig, SimError};
pub use maker::MakerParams;
pub use sim::{SimFrame, Simulator};
pub use truth::{MarketTruth, Truth};
