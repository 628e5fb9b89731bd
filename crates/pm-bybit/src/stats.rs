//! What a protocol saw, counted: the record that `inspect` shows and that tests hold against a recording's own description.

/// Counters of one [`crate::public::PublicProtocol`]. They only grow, also over reconnects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Book snapshots emitted.
    pub snapshots: u64,
    /// Book deltas emitted.
    pub deltas: u64,
    /// Skipped sequence numbers: the book was lost.
    pub gaps: u64,
    /// Deltas with a sequence number at or below the book's: ignored.
    pub duplicates: u64,
    /// Deltas without a snapshot before them: ignored.
    pub before_snapshot: u64,
    /// Frames of a shallower topic than the one the book is built from: ignored.
    pub shallower: u64,
    /// Deletes of levels that were not there. Counted only with [`crate::public::PublicSettings::audit`].
    pub absent_deletes: u64,
    /// Updates after which best bid >= best ask. Counted only with `audit`.
    pub crossed: u64,
    /// Updates after which a side was longer than the topic's depth. Counted only with `audit`.
    pub overlong: u64,
    /// Book prices off the instrument's tick.
    pub off_grid: u64,
    /// Snapshots whose venue time was before the book's: applied at the book's time.
    pub clock_back: u64,
    /// Merged tickers emitted.
    pub tickers: u64,
    /// Ticker changes without a snapshot before them, or after a ticker frame that was not understood: ignored.
    pub early_tickers: u64,
    /// Trades emitted.
    pub prints: u64,
    /// Trades seen before: ignored.
    pub repeated_prints: u64,
    /// Block trades: agreed off the book, ignored.
    pub block_trades: u64,
    /// Acknowledgements, pongs, refusals.
    pub control: u64,
    /// Refusals among them: see [`crate::public::PublicProtocol::take_refusals`].
    pub control_errors: u64,
    /// Frames about symbols that were not listed.
    pub foreign: u64,
    /// Frames of topics that this program does not read.
    pub unknown: u64,
    /// Frames that were not understood.
    pub bad_frames: u64,
}

impl Stats {
    /// All counters by name, in the order of their declaration.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        // Taken apart whole, so that a new counter cannot be forgotten here.
        let Self {
            snapshots,
            deltas,
            gaps,
            duplicates,
            before_snapshot,
            shallower,
            absent_deletes,
            crossed,
            overlong,
            off_grid,
            clock_back,
            tickers,
            early_tickers,
            prints,
            repeated_prints,
            block_trades,
            control,
            control_errors,
            foreign,
            unknown,
            bad_frames,
        } = *self;
        vec![
            ("snapshots", snapshots),
            ("deltas", deltas),
            ("gaps", gaps),
            ("duplicates", duplicates),
            ("before_snapshot", before_snapshot),
            ("shallower", shallower),
            ("absent_deletes", absent_deletes),
            ("crossed", crossed),
            ("overlong", overlong),
            ("off_grid", off_grid),
            ("clock_back", clock_back),
            ("tickers", tickers),
            ("early_tickers", early_tickers),
            ("prints", prints),
            ("repeated_prints", repeated_prints),
            ("block_trades", block_trades),
            ("control", control),
            ("control_errors", control_errors),
            ("foreign", foreign),
            ("unknown", unknown),
            ("bad_frames", bad_frames),
        ]
    }
}
