//! Choices of one socket, with the cautious ones as defaults.

use crate::category::Category;

/// What to do with a book price off the instrument's tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OffGrid {
    /// The frame is refused and the book is lost until its next snapshot: either the data is bad or the instrument list is stale.
    #[default]
    Refuse,
    /// Counted and applied.
    Count,
}

/// What to do with symbols that were never listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlisted {
    /// Their frames are foreign.
    #[default]
    Foreign,
    /// They get an index key at first sight: for recordings that carry books but no instrument list.
    Register,
}

/// Settings of [`super::PublicProtocol`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicSettings {
    /// Depth of the book topic to subscribe, see [`Category::depths`].
    pub depth: u16,
    /// Symbols to subscribe; empty for every listed, trading instrument on an underlying of the catalog that settles in the venue's
    /// currency (linear: perpetuals only; options: nearest expiry first, as many as one connection takes).
    pub symbols: Vec<String>,
    /// Off-grid prices.
    pub off_grid: OffGrid,
    /// Unlisted symbols.
    pub unlisted: Unlisted,
    /// Keep a second book per instrument and count what only a book can show: deletes of absent levels, crossed books, overlong sides.
    /// For inspection of recordings; costs time and memory.
    pub audit: bool,
}

impl PublicSettings {
    /// Defaults of a category: 50 levels, for options 25.
    #[must_use]
    pub fn of(category: Category) -> Self {
        Self {
            depth: if category == Category::Option { 25 } else { 50 },
            symbols: Vec::new(),
            off_grid: OffGrid::default(),
            unlisted: Unlisted::default(),
            audit: false,
        }
    }
}
