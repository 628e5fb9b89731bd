//! The instants whose values decide: start and end of every watched rule. Rules share them (the end of one window is the start of the
//! next), so they are kept once, counted, sorted by time.

use pm_core::market::{Method, Payoff, SettlementRule, StartValue};
use pm_core::units::Px;

/// How the value at an instant is formed. Windows and intervals in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// The value at the instant.
    Instant,
    /// Mean of the one-second values of the window.
    Twap(i64),
    /// Close of the candle that ends there.
    CandleClose(i64),
    /// Open of the candle that begins there.
    CandleOpen(i64),
}

/// A value that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Observed {
    /// The value.
    pub(crate) px: Px,
    /// Seconds of it that were carried forward.
    pub(crate) carried: u32,
    /// True when it is the source's own value for the instant, not our reconstruction.
    pub(crate) own: bool,
}

/// Longest averaging window that is understood, seconds.
pub(crate) const MAX_WINDOW_S: i64 = 300;

fn whole_seconds(d: pm_core::time::Dur) -> Option<i64> {
    (d.nanos() > 0 && d.nanos().rem_euclid(1_000_000_000) == 0).then(|| d.secs())
}

/// The form of the final value; `None` when it is not understood.
pub(crate) fn final_form(rule: &SettlementRule) -> Option<Form> {
    match rule.method {
        Method::Instant => Some(Form::Instant),
        Method::Twap { window } => whole_seconds(window).filter(|w| *w <= MAX_WINDOW_S).map(Form::Twap),
        Method::CandleClose { interval } => whole_seconds(interval).map(Form::CandleClose),
    }
}

/// Second and form of the start value; `None` when the rule has none, or it is not understood.
pub(crate) fn start_of(rule: &SettlementRule) -> Option<(i64, Form)> {
    let Payoff::UpDown { start_at, start, .. } = rule.payoff else { return None };
    let form = match (start, final_form(rule)?) {
        (StartValue::SameMethod, form) => form,
        (StartValue::CandleOpen, Form::CandleClose(interval)) => Form::CandleOpen(interval),
        (StartValue::CandleOpen, _) => return None,
    };
    Some((start_at.secs(), form))
}

/// What makes two rules the same, metadata that comes later excluded: (end, start or strike, form, kind of payoff).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleKey(i64, i64, i64, Form, u8);

fn key_of(rule: &SettlementRule) -> Option<RuleKey> {
    let form = final_form(rule)?;
    let end = rule.final_at.secs();
    Some(match rule.payoff {
        Payoff::UpDown { start_at, start, .. } => {
            RuleKey(end, start_at.secs(), i64::from(start == StartValue::CandleOpen), form, 0)
        }
        Payoff::Above { strike } => RuleKey(end, strike.raw(), 0, form, 1),
        Payoff::Between { lo, hi } => RuleKey(end, lo.map_or(i64::MIN, Px::raw), hi.map_or(i64::MAX, Px::raw), form, 2),
        Payoff::Touch { barrier, up, from } => RuleKey(end, barrier.raw(), from.secs(), form, 3 + u8::from(up)),
    })
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched {
    pub(crate) at: i64,
    pub(crate) form: Form,
    refs: u32,
    pub(crate) seen: Option<Observed>,
}

/// The watched instants of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Instants {
    items: Vec<Watched>,
    rules: Vec<RuleKey>,
}

impl Instants {
    /// Adds the instants of a rule and calls `look` for each new one, which may find its value in what was already seen. Idempotent.
    pub(crate) fn watch(&mut self, rule: &SettlementRule, look: impl Fn(i64, Form) -> Option<Observed>) {
        let Some(key) = key_of(rule) else { return };
        let Err(at) = self.rules.binary_search(&key) else { return };
        self.rules.insert(at, key);
        for (at, form) in Self::of(rule).into_iter().flatten() {
            match self.position(at, form) {
                Ok(i) => {
                    if let Some(w) = self.items.get_mut(i) {
                        w.refs += 1;
                    }
                }
                Err(i) => self.items.insert(i, Watched { at, form, refs: 1, seen: look(at, form) }),
            }
        }
    }

    /// Forgets a rule, and the instants that no other rule needs. Idempotent.
    pub(crate) fn unwatch(&mut self, rule: &SettlementRule) {
        let Some(Ok(at)) = key_of(rule).map(|key| self.rules.binary_search(&key)) else { return };
        self.rules.remove(at);
        for (at, form) in Self::of(rule).into_iter().flatten() {
            let Ok(i) = self.position(at, form) else { continue };
            let Some(w) = self.items.get_mut(i) else { continue };
            w.refs -= 1;
            if w.refs == 0 {
                self.items.remove(i);
            }
        }
    }

    fn of(rule: &SettlementRule) -> [Option<(i64, Form)>; 2] {
        [final_form(rule).map(|form| (rule.final_at.secs(), form)), start_of(rule)]
    }

    fn position(&self, at: i64, form: Form) -> Result<usize, usize> {
        self.items.binary_search_by(|w| (w.at, w.form).cmp(&(at, form)))
    }

    /// The value seen at an instant.
    #[inline]
    pub(crate) fn find(&self, at: i64, form: Form) -> Option<Observed> {
        self.position(at, form).ok().and_then(|i| self.items.get(i)).and_then(|w| w.seen)
    }

    /// The watched instants of the seconds `from ..= to`.
    pub(crate) fn between(&mut self, from: i64, to: i64) -> impl Iterator<Item = &mut Watched> {
        let begin = self.items.partition_point(|w| w.at < from);
        self.items.iter_mut().skip(begin).take_while(move |w| w.at <= to)
    }
}
