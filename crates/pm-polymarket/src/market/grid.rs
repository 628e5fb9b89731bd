//! Which prices a market may show.

use pm_core::book::{BookLoss, Level};
use pm_core::num::SCALE;
use pm_core::traits::{DecodeError, EventSink};

use super::Known;

impl Known {
    /// Checks that every level lies in 0..1, on the market's grid, with a size that is not negative. The book is lost otherwise.
    #[inline]
    pub(super) fn fits<'l>(
        &mut self,
        levels: impl Iterator<Item = &'l Level>,
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        // Prices up to 1 and grids fit 32 bits, where the remainder is several times cheaper than in 64.
        let grid = u32::try_from(self.run.finest.raw()).unwrap_or(0).max(1);
        for level in levels {
            let inside = u32::try_from(level.px.raw()).ok().filter(|px| i64::from(*px) <= SCALE);
            let on_grid = inside.is_some_and(|px| px % grid == 0) && !level.qty.is_negative();
            if !on_grid {
                return Err(self.misfit(*level, inside.is_some(), out));
            }
        }
        Ok(())
    }

    #[cold]
    fn misfit(&mut self, level: Level, inside: bool, out: &mut dyn EventSink) -> DecodeError {
        self.lose(BookLoss::BadFrame, out);
        DecodeError::new(if !inside {
            format!("price {} is outside of 0..1 in market {}", level.px, self.native)
        } else if level.qty.is_negative() {
            format!("size {} is negative in market {}", level.qty, self.native)
        } else {
            format!("price {} is off the grid of {} in market {}", level.px, self.run.finest, self.native)
        })
    }
}
