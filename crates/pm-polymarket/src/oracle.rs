//! What the two price sockets share: values with the source's own time, and saying each of them once. Both send a history after each
//! subscription that repeats what was said before the connection ended (venues/polymarket.md 5.6).

use std::collections::BTreeMap;

use pm_core::event::{Event, ReferenceKind};
use pm_core::ids::SourceId;
use pm_core::num::{Excess, parse_fixed_with};
use pm_core::time::{Dur, Ts};
use pm_core::traits::{DecodeError, EventSink};
use pm_core::units::Px;
use pm_core::wire_text::{TextError, clip, instant_ms};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::text::{Num, decimal};

/// One value: the source's own time and exact digits (decimal point placed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The source's own time.
    pub at: Ts,
    /// Decimal digits.
    pub text: String,
}

impl Point {
    /// A value at `at` milliseconds.
    pub(crate) fn new(at: Option<&Num<'_>>, text: String) -> Result<Self, DecodeError> {
        if decimal(&text).is_none() {
            return Err(DecodeError::new("value is not a number"));
        }
        Ok(Self { at: time("timestamp", at)?, text })
    }
    /// The value cut to 8 decimals.
    #[must_use]
    pub fn px(&self) -> Option<Px> {
        parse_fixed_with(self.text.as_bytes(), Excess::Truncate).ok().map(Px::from_raw)
    }
    /// The exact value.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        decimal(&self.text)
    }
}

/// One value as sent, alone or in a history.
#[derive(Deserialize)]
pub(crate) struct Entry<'a> {
    #[serde(borrow)]
    pub(crate) timestamp: Option<Num<'a>>,
    #[serde(borrow)]
    pub(crate) value: Option<Num<'a>>,
    #[serde(borrow)]
    pub(crate) full_accuracy_value: Option<Num<'a>>,
}

pub(crate) fn missing(field: &'static str) -> DecodeError {
    TextError::Missing { field }.into()
}

/// Milliseconds as sent, up to 2100.
pub(crate) fn time(field: &'static str, num: Option<&Num<'_>>) -> Result<Ts, DecodeError> {
    let num = num.ok_or_else(|| missing(field))?;
    let range = || TextError::Range { field, text: clip(num.as_str()), at: None }.into();
    num.whole().and_then(instant_ms).ok_or_else(range)
}

/// What a value is, by its averaging window in seconds.
pub(crate) fn kind(window_seconds: Option<i64>) -> ReferenceKind {
    match window_seconds {
        Some(secs) => ReferenceKind::Twap { window: Dur::from_secs(secs) },
        None => ReferenceKind::Spot,
    }
}

/// Latest time of each value that was said.
#[derive(Debug, Default)]
pub(crate) struct Said(BTreeMap<(SourceId, ReferenceKind), Ts>);

impl Said {
    /// Emits values, oldest first; of a history only what is later than everything said before it.
    pub(crate) fn emit(
        &mut self,
        source: SourceId,
        kind: ReferenceKind,
        history: bool,
        points: &[Point],
        out: &mut dyn EventSink,
    ) -> Result<(), DecodeError> {
        let last = self.0.entry((source, kind)).or_insert(Ts::ZERO);
        let before = *last;
        for point in points {
            let px = point.px().filter(|px| px.is_positive()).ok_or_else(|| DecodeError::new("value is not a positive price"))?;
            if history && point.at <= before {
                continue;
            }
            *last = (*last).max(point.at);
            out.event(Event::Reference { source, kind, px, at: point.at });
        }
        Ok(())
    }
}
