//! Tickers: a snapshot, then only what changed (venues/bybit.md 4.3). A change that was not understood is a change that is missing: what was
//! merged so far is taken back, and nothing is merged until a snapshot says everything anew.

use pm_core::event::{Event, Ticker};
use pm_core::registry::Registry;
use pm_core::time::Ts;
use pm_core::traits::{EventSink, FrameKind};

use super::PublicProtocol;
use crate::wire::{self, WireError};

/// What is known of one instrument's ticker.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Merged {
    /// The last snapshot and every change since, up to the venue's time.
    known: Option<(Ticker, Ts)>,
    /// A frame was not understood: waits for a snapshot.
    pub(super) lost: bool,
}

impl PublicProtocol {
    /// A frame of the topic `tickers.{topic}`.
    pub(super) fn on_ticker(
        &mut self,
        text: &str,
        topic: &str,
        registry: &mut Registry,
        out: &mut dyn EventSink,
    ) -> Result<FrameKind, WireError> {
        let read = wire::ticker::parse(text).and_then(|f| Ok((f, f.fields.symbol()?)));
        let (f, symbol) = read.inspect_err(|_| self.lose_ticker(topic, out))?;
        let found = self.find(symbol, registry);
        let Some(slot) = found.and_then(|at| self.slots.get_mut(at)) else {
            self.stats.foreign += 1;
            return Ok(FrameKind::Foreign);
        };
        let (base, follows) = match slot.ticker.known {
            Some((ticker, _)) if f.delta => (ticker, true),
            _ => (Ticker::default(), !f.delta),
        };
        // A change that cannot be merged is read all the same, so that a bad one is an error.
        match f.fields.merge_into(base, f.reader) {
            Ok(ticker) if follows => {
                slot.ticker = Merged { known: Some((ticker, f.ts)), lost: false };
                self.stats.tickers += 1;
                out.event(Event::Ticker { instrument: slot.idx, ticker, at: f.ts });
            }
            Ok(_) => self.stats.early_tickers += 1,
            Err(error) => {
                self.lose_ticker(symbol, out);
                return Err(error.into());
            }
        }
        Ok(FrameKind::Data)
    }

    /// Takes a ticker back: consumers see one without values rather than go on with values that may have changed.
    fn lose_ticker(&mut self, symbol: &str, out: &mut dyn EventSink) {
        let Some(slot) = self.by_symbol.get(symbol).and_then(|at| self.slots.get_mut(*at)) else { return };
        let before = core::mem::replace(&mut slot.ticker, Merged { known: None, lost: true });
        if let Some((_, at)) = before.known {
            out.event(Event::Ticker { instrument: slot.idx, ticker: Ticker::default(), at });
        }
    }
}
