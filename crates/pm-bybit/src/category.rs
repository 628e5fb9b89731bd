//! A category is a socket, a REST parameter and a name space: `BTCUSDT` is a spot pair and a perpetual (venues/bybit.md 1, 4.1).

use pm_core::instrument::InstrumentKind;

/// Product category of the V5 API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// USDT and USDC perpetuals and dated futures.
    Linear,
    /// Spot pairs.
    Spot,
    /// Options.
    Option,
}

impl Category {
    /// All categories that this program reads.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Spot, Self::Option];

    /// The venue's word for it: URL path of the socket, `category` parameter, prefix of registry keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Spot => "spot",
            Self::Option => "option",
        }
    }

    /// From the venue's word; `None` for `inverse` and anything unknown.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }

    /// Registry key of a symbol: `linear:BTCUSDT`.
    #[must_use]
    pub fn key(self, symbol: &str) -> String {
        format!("{}:{symbol}", self.as_str())
    }

    /// Category that an instrument of a kind belongs to.
    #[must_use]
    pub const fn of(kind: &InstrumentKind) -> Self {
        match kind {
            InstrumentKind::Spot => Self::Spot,
            InstrumentKind::Perp | InstrumentKind::Future { .. } => Self::Linear,
            InstrumentKind::Option { .. } => Self::Option,
        }
    }

    /// Depths that the category's book topic offers (venues/bybit.md 4.2).
    #[must_use]
    pub const fn depths(self) -> &'static [u16] {
        match self {
            Self::Linear | Self::Spot => &[1, 50, 200, 1000],
            Self::Option => &[25, 100],
        }
    }
}
