//! Which prices a market may show.

use pm_core::book::Level;
use pm_core::event::Event;
use pm_core::market::MarketChange;
use pm_core::num::SCALE;
use pm_core::traits::{DecodeError, EventSink};
use pm_core::units::Px;

use super::{GridPolicy, Known};

/// Grids of the venue from coarse to fine (venues/polymarket-official-clients.md 0.5).
const GRIDS: [Px; 6] = [
    Px::from_raw(SCALE / 10),
    Px::from_raw(SCALE / 100),
    Px::from_raw(SCALE / 200),
    Px::from_raw(SCALE / 400),
    Px::from_raw(SCALE / 1_000),
    Px::from_raw(SCALE / 10_000),
];

impl Known {
    /// Checks that every level lies in 0..1, on the market's grid, with a size that is not negative. The book is lost otherwise.
    #[inline]
    pub(super) fn fits<'l>(
        &mut self,
        policy: GridPolicy,
        levels: impl Iterator<Item = &'l Level>,
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        // Prices up to 1 and grids fit 32 bits, where the remainder is several times cheaper than in 64.
        let grid = u32::try_from(self.finest.raw()).unwrap_or(0).max(1);
        for level in levels {
            let inside = u32::try_from(level.px.raw()).ok().filter(|px| i64::from(*px) <= SCALE);
            let on_grid = inside.is_some_and(|px| px % grid == 0) && !level.qty.is_negative();
            if !on_grid {
                return self.misfit(policy, *level, inside.is_some(), out);
            }
        }
        Ok(())
    }

    #[cold]
    fn misfit(&mut self, policy: GridPolicy, level: Level, inside: bool, out: &mut dyn EventSink) -> Result<(), DecodeError> {
        let finer = GRIDS.iter().find(|g| **g < self.finest && level.px.is_multiple_of(**g));
        match finer {
            Some(grid) if policy == GridPolicy::FollowFiner && inside && !level.qty.is_negative() => {
                self.tick = *grid;
                self.finest = *grid;
                out.event(Event::MarketChanged { market: self.idx, change: MarketChange::Tick(*grid) });
                Ok(())
            }
            _ => {
                self.lose(pm_core::book::BookLoss::BadFrame, out);
                let what = if !inside {
                    format!("price {} is outside of 0..1 in market {}", level.px, self.native)
                } else if level.qty.is_negative() {
                    format!("size {} is negative in market {}", level.qty, self.native)
                } else {
                    format!("price {} is off the grid of {} in market {}", level.px, self.finest, self.native)
                };
                Err(DecodeError::new(what))
            }
        }
    }
}
