//! The model through its public door: refusals, start and final values, and fair values against simulated settlement.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod common;

use common::*;
use pm_core::event::{Candle, ReferenceKind};
use pm_core::market::{Method, Payoff, SettlementRule, Tie};
use pm_core::refusal::Refusal;
use pm_core::time::{Dur, Ts};
use pm_core::units::{Px, Ratio};
use pm_strategy::{Model, ModelConfig, num};
use proptest::prelude::*;

fn wave(s: i64) -> Px {
    Px::from_raw(8_000_000_000_000 + (s * 37 % 101) * 30_000_000)
}

fn at_ms(ms: i64) -> Ts {
    Ts::from_millis(START * 1_000 + ms)
}

#[test]
fn each_refusal_in_its_turn() {
    let rule = up_down(START, 300, twap(60));
    let mut model = Model::new(ModelConfig::default(), &catalog());
    model.watch(&rule);
    let at = |m: &Model, s: i64| m.fair(&rule, Ts::from_secs(START + s)).unwrap_err();
    assert_eq!(at(&model, -1), Refusal::StrikeNotFixed);
    assert_eq!(at(&model, 10), Refusal::SettlementFeedMissing);
    feed(&mut model, START - 300, 300, wave, ORACLE);
    assert_eq!(at(&model, 0), Refusal::StrikeNotFixed, "the value of the start second is not there yet");
    feed(&mut model, START, 10, wave, ORACLE);
    assert!(model.fair(&rule, Ts::from_secs(START + 10)).is_ok());
    let edge = START + 9;
    assert_eq!(model.fair(&rule, Ts::from_secs(edge) + Dur::from_millis(3_001)), Err(Refusal::HedgePriceStale));
    model.on_hedge_mid(BTC, wave(0), Ts::from_secs(edge + 10));
    assert!(model.fair(&rule, Ts::from_secs(edge + 10)).is_ok(), "ten seconds: just inside");
    let late = Ts::from_millis((edge + 10) * 1_000 + 1);
    assert_eq!(model.fair(&rule, late), Err(Refusal::ReferenceStale { age: Dur::from_millis(10_001) }));
    let between = SettlementRule { payoff: Payoff::Between { lo: None, hi: None }, ..rule };
    assert_eq!(model.fair(&between, late), Err(Refusal::RuleNotUnderstood));
    let odd = SettlementRule { method: Method::Twap { window: Dur::from_millis(1_500) }, ..rule };
    assert_eq!(model.fair(&odd, late), Err(Refusal::RuleNotUnderstood));
}

#[test]
fn cold_volatility_and_basis_refuse() {
    let rule = above("80000", START + 3_600);
    let mut model = Model::new(ModelConfig::default(), &catalog());
    feed(&mut model, START, 60, wave, CANDLES);
    assert_eq!(model.fair(&rule, Ts::from_secs(START + 59)), Err(Refusal::WarmingUp));
    feed(&mut model, START + 60, 100, wave, CANDLES);
    assert!(model.fair(&rule, Ts::from_secs(START + 159)).is_ok());
}

#[test]
fn the_start_of_an_average_is_the_sources_own_value_else_the_mean_of_its_seconds() {
    let rule = up_down(START, 300, twap(60));
    let mut model = Model::new(sharp(), &catalog());
    model.watch(&rule);
    model.watch(&rule);
    // 1, 2, ..., 60 around the start: seconds START - 59 ..= START have the values 1..=60, mean 30.5.
    feed(&mut model, START - 100, 101, |s| Px::from_raw((s - START + 60).max(1) * 100_000_000), ORACLE);
    assert_eq!(model.start_value(&rule), Some(d("30.5")));
    model.on_reference(
        ORACLE,
        ReferenceKind::Twap { window: Dur::from_secs(60) },
        d("30.51"),
        Ts::from_secs(START),
        Ts::from_secs(START + 2),
    );
    assert_eq!(model.start_value(&rule), Some(d("30.51")), "the source's own word wins");
    model.on_reference(
        ORACLE,
        ReferenceKind::Twap { window: Dur::from_secs(30) },
        d("45"),
        Ts::from_secs(START),
        Ts::from_secs(START + 2),
    );
    assert_eq!(model.start_value(&rule), Some(d("30.51")), "another window is another value");
    let Payoff::UpDown { start_at, start, .. } = rule.payoff else { panic!() };
    let told = SettlementRule { payoff: Payoff::UpDown { start_at, start, reference: Some(d("31")) }, ..rule };
    assert_eq!(model.start_value(&told), Some(d("31")), "the venue's metadata wins over both");
    // A rule that is listed after its start finds the value in what was seen: seconds START - 69 ..= START - 10 are ten times 1 and
    // 1..=50: 1285 / 60.
    let listed_late = up_down(START - 10, 900, twap(60));
    assert_eq!(model.start_value(&listed_late), None);
    model.watch(&listed_late);
    assert_eq!(model.start_value(&listed_late), Some(d("21.41666666")));
    // Two rules share an instant: forgetting one, twice, leaves it to the other.
    let longer = up_down(START, 900, twap(60));
    model.watch(&longer);
    model.unwatch(&rule);
    model.unwatch(&rule);
    assert_eq!(model.start_value(&longer), Some(d("30.51")));
    model.unwatch(&longer);
    assert_eq!(model.start_value(&longer), None);
}

#[test]
fn an_instant_is_not_read_before_it_has_passed() {
    let rule = up_down(START, 300, Method::Instant);
    let mut model = Model::new(sharp(), &catalog());
    model.watch(&rule);
    let say = |m: &mut Model, px: &str, ms: i64| m.on_reference(ORACLE, ReferenceKind::Spot, d(px), at_ms(ms), at_ms(ms));
    say(&mut model, "100", -400);
    assert_eq!(model.start_value(&rule), None, "another value may still come before the start");
    say(&mut model, "101", -100);
    say(&mut model, "102", 900);
    assert_eq!(model.start_value(&rule), Some(d("101")), "the last value at or before the start");
    say(&mut model, "110", 299_400);
    assert_eq!(model.final_value(&rule), None);
    say(&mut model, "111", 300_000);
    assert_eq!(model.final_value(&rule), Some(d("111")));
    assert_eq!(model.fair(&rule, at_ms(301_000)).unwrap().band.lo, Px::ONE, "now, and only now, it is certain");
    // A value missing for more than two seconds is not a start value.
    let next = up_down(START + 600, 300, Method::Instant);
    model.watch(&next);
    say(&mut model, "120", 597_000);
    say(&mut model, "121", 601_000);
    assert_eq!(model.start_value(&next), None);
}

#[test]
fn hourly_candles_open_and_close() {
    let hour = Dur::from_secs(3_600);
    let rule = up_down(START, 3_600, Method::CandleClose { interval: hour });
    let strike = above("80000", START + 3_600);
    let mut model = Model::new(sharp(), &catalog());
    model.watch(&rule);
    model.watch(&strike);
    let mut candle = Candle {
        open_at: Ts::from_secs(START),
        interval: hour,
        open: d("80000"),
        high: d("80100"),
        low: d("79900"),
        close: d("80050"),
        closed: false,
    };
    model.on_candle(CANDLES, &candle, at_ms(500));
    assert_eq!((model.start_value(&rule), model.final_value(&rule)), (Some(d("80000")), None));
    candle.closed = true;
    candle.close = d("80000");
    model.on_candle(CANDLES, &candle, at_ms(3_600_400));
    assert_eq!(model.final_value(&strike), Some(d("80000")));
    assert_eq!(model.fair(&rule, at_ms(3_601_000)).unwrap().band.mid, Px::ONE, "a tie is Up");
    assert_eq!(model.fair(&strike, at_ms(3_601_000)).unwrap().band.mid, Px::ZERO, "not strictly above");
    let half = SettlementRule { tie: Tie::Half, ..strike };
    assert_eq!(model.fair(&half, at_ms(3_601_000)).unwrap().band.mid, d("0.5"));
}

/// Fair values inside and outside of the averaging window against 20,000 simulated settlements each, with the discrete sum that settles.
#[test]
fn twap_probabilities_agree_with_simulated_settlements() {
    let rule = up_down(START, 300, twap(60));
    let sigma = 0.5 / 31_536_000.0_f64.sqrt();
    for (now_ms, offset_bps) in [(60_000, 2.0), (200_000, -1.5), (239_500, 1.0), (255_300, 1.0), (275_900, -0.5), (294_000, 0.2)]
    {
        let mut model = Model::new(sharp(), &catalog());
        model.watch(&rule);
        // Flat at 80,000 until the start, then moved by the offset: the known part of the average is the moved price.
        let moved = Px::from_raw(num::scaled(80_000.0 * (1.0 + offset_bps * 1e-4), pm_core::num::Round::Down).unwrap());
        let path = |s: i64| if s <= START { Px::whole(80_000) } else { moved };
        feed(&mut model, START - 100, 101 + now_ms / 1_000, path, ORACLE);
        model.on_hedge_mid(BTC, moved, at_ms(now_ms));
        let fair = model.fair(&rule, at_ms(now_ms)).unwrap();

        let (paths, mut ups) = (20_000, 0);
        let mut normal = Normal(u64::try_from(now_ms).unwrap());
        for _ in 0..paths {
            let (mut w, mut t, mut sum) = (num::px(moved), now_ms, 0.0);
            for k in 241..=300_i64 {
                let due = k * 1_000;
                if due > t {
                    let dt = num::f64_of(due - t) / 1_000.0;
                    w += 80_000.0 * sigma * dt.sqrt() * normal.draw();
                    t = due;
                }
                sum += w;
            }
            ups += i32::from(sum / 60.0 >= 80_000.0);
        }
        let simulated = f64::from(ups) / f64::from(paths);
        let error = 4.0 * (simulated * (1.0 - simulated) / f64::from(paths)).sqrt() + 0.001;
        assert!((num::px(fair.band.mid) - simulated).abs() < error, "{now_ms}: {fair:?} {simulated}");
        let fixed = num::f64_of(((now_ms / 1_000) - 240).clamp(0, 60)) / 60.0;
        assert!((num::ratio(fair.fixed) - fixed).abs() < 1e-7, "{now_ms}: {fair:?}");
    }
}

#[test]
fn the_basis_is_taken_off_and_the_band_holds_its_error() {
    let rule = above("80000", START + 4_000);
    let mut model = Model::new(ModelConfig { basis_floor: d("0.0001"), ..sharp() }, &catalog());
    for s in 0..300 {
        let t = Ts::from_secs(START + s);
        model.on_hedge_mid(BTC, d("80040"), t);
        model.on_reference(CANDLES, ReferenceKind::Spot, d("80000"), t, t + Dur::from_millis(1_500));
    }
    let fair = model.fair(&rule, Ts::from_secs(START + 299)).unwrap();
    // Half the variance is drift: sd = 0.0054166, Phi(-0.0027083) = 0.4989195.
    assert!((num::px(fair.band.mid) - 0.498_919_5).abs() < 1e-6, "{fair:?}");
    // tau 3701 s, sigma 50 %: sd = 80000 * 0.5 * sqrt(3701 / 31536000) = 433.3. About 290 s of history are 29 independent returns:
    // volatility may be 1.64 * sqrt(0.5 / 29) = 21.5 % lower, sd 340. The basis' 1.64 * 8 = 13.1 is 0.0386 of that:
    // Phi(0.0386 - 0.0021) = 0.5145 and Phi(-0.0386 - 0.0021) = 0.4838.
    assert!((num::px(fair.band.hi) - 0.5145).abs() < 0.0002, "{fair:?}");
    assert!((num::px(fair.band.lo) - 0.4838).abs() < 0.0002, "{fair:?}");
    assert!((num::px(fair.spot) - 80_000.0).abs() < 0.01 && (num::px(fair.sd) - 433.4).abs() < 0.2, "{fair:?}");
    // phi(0) / 433.3 = 0.000921 base units per share: $74 per $1 share, as venues/bybit.md 8 has it ($93 at 40 %).
    assert!((num::qty(fair.delta) - 0.000_921).abs() < 0.000_002, "{fair:?}");
}

#[test]
fn a_recording_without_a_hedge_venue_can_be_priced_when_allowed() {
    let rule = up_down(START, 300, Method::Instant);
    let run = |require_hedge| {
        let mut model = Model::new(ModelConfig { require_hedge, ..ModelConfig::default() }, &catalog());
        model.watch(&rule);
        for s in -200..100 {
            let t = Ts::from_secs(START + s);
            model.on_reference(ORACLE, ReferenceKind::Spot, wave(s + 1_000), t, t);
        }
        model.fair(&rule, Ts::from_secs(START + 100))
    };
    assert_eq!(run(true), Err(Refusal::HedgePriceStale));
    assert!(run(false).is_ok());
}

#[test]
fn a_window_that_was_not_seen_from_its_start_is_filled_from_the_hedge_venue() {
    let mut rule = up_down(START, 300, twap(60));
    if let Payoff::UpDown { reference, .. } = &mut rule.payoff {
        *reference = Some(d("80000"));
    }
    let mut model = Model::new(sharp(), &catalog());
    for s in -100..290 {
        let t = Ts::from_secs(START + s);
        model.on_hedge_mid(BTC, d("80020"), t);
        // The oracle is silent from 180 to 259: longer than anything that may be carried.
        if !(100..260).contains(&s) {
            model.on_reference(ORACLE, ReferenceKind::Spot, d("80020"), t, t);
        }
    }
    let fair = model.fair(&rule, Ts::from_secs(START + 289)).unwrap();
    assert!(fair.band.lo > d("0.9"), "{fair:?}");
}

#[test]
fn twap_only_feeds_get_basis_and_known_part_from_the_hedge_venue() {
    let rule = up_down(START, 300, twap(60));
    let mut model = Model::new(sharp(), &catalog());
    model.watch(&rule);
    for s in -200..280 {
        let t = Ts::from_secs(START + s);
        model.on_hedge_mid(BTC, if s <= 0 { d("80000") } else { d("80040") }, t);
        let average = 8_000_000_000_000 + 4_000_000_000 * s.clamp(0, 60) / 60;
        model.on_reference(ORACLE, ReferenceKind::Twap { window: Dur::from_secs(60) }, Px::from_raw(average), t, t);
    }
    assert_eq!(model.start_value(&rule), Some(d("80000")));
    let fair = model.fair(&rule, Ts::from_secs(START + 279)).unwrap();
    assert!(fair.band.lo > d("0.95"), "{fair:?}");
}

#[test]
fn last_seconds_are_nearly_decided_but_never_certain() {
    let rule = up_down(START, 300, twap(60));
    let mut model = Model::new(ModelConfig::default(), &catalog());
    model.watch(&rule);
    let path = |s: i64| if s <= START { wave(s) } else { Px::whole(82_000) };
    feed(&mut model, START - 300, 599, path, ORACLE);
    model.on_hedge_mid(BTC, Px::whole(82_000), at_ms(300_500));
    let fair = model.fair(&rule, at_ms(300_500)).unwrap();
    assert_eq!((fair.band.lo, fair.fixed), (d("0.999"), Ratio::ONE), "the last second is not seen yet");
    model.on_reference(ORACLE, ReferenceKind::Spot, Px::whole(82_000), at_ms(300_000), at_ms(301_500));
    assert!(model.final_value(&rule).is_some());
    let fair = model.fair(&rule, at_ms(301_500)).unwrap();
    assert_eq!(fair.band.lo, d("0.999"), "our own mean is not the source's word");
    model.on_reference(
        ORACLE,
        ReferenceKind::Twap { window: Dur::from_secs(60) },
        Px::whole(82_000),
        at_ms(300_000),
        at_ms(302_000),
    );
    assert_eq!(model.fair(&rule, at_ms(302_000)).unwrap().band.lo, Px::ONE);
}

#[test]
fn volatility_and_mid_are_shown() {
    let mut model = Model::new(ModelConfig::default(), &catalog());
    assert_eq!((model.mid(BTC), model.sigma_annual(BTC)), (None, None));
    feed(&mut model, START, 200, |_| Px::whole(80_000), ORACLE);
    assert_eq!(model.mid(BTC), Some((Px::whole(80_000), Ts::from_secs(START + 199))));
    let sigma = model.sigma_annual(BTC).unwrap();
    assert!(sigma >= d("0.1") && sigma <= d("0.10000001"), "the floor, rounded up: {sigma}");
    model.on_hedge_mid(BTC, Px::whole(1), Ts::from_secs(START));
    assert_eq!(model.mid(BTC).unwrap().0, Px::whole(80_000), "an older stamp changes nothing");
}

proptest! {
    /// Whatever comes in, in whatever order: no panic, and bands stay bands.
    #[test]
    fn any_feed_gives_a_band_or_a_reason(
        events in proptest::collection::vec((0_u8..5, -400_000_i64..400_000, any::<i64>(), 0_i64..4), 0..300),
        window in 1_i64..400, candles in any::<bool>(), require_hedge in any::<bool>(),
    ) {
        let method = if candles { Method::CandleClose { interval: Dur::from_secs(window) } } else { twap(window) };
        let rule = up_down(START, 300, method);
        let cfg = ModelConfig { require_hedge, min_vol_samples: 1, min_basis_samples: 1, max_hedge_age: Dur::from_secs(1_000),
            max_reference_age: Dur::from_secs(1_000), ..ModelConfig::default() };
        let mut model = Model::new(cfg, &catalog());
        model.watch(&rule);
        for (kind, ms, raw, wild) in events {
            let px = if wild == 0 { Px::from_raw(raw) } else { Px::from_raw(8_000_000_000_000 + raw % 1_000_000_000) };
            let at = at_ms(ms);
            match kind {
                0 => model.on_hedge_mid(BTC, px, at),
                1 => model.on_reference(rule.source, ReferenceKind::Spot, px, at, at),
                2 => model.on_reference(rule.source, ReferenceKind::Twap { window: Dur::from_secs(window) }, px, at, at),
                3 => model.on_candle(rule.source, &Candle { open_at: at, interval: Dur::from_secs(window), open: px, high: px, low: px, close: px, closed: wild == 1 }, at),
                _ => model.unwatch(&rule),
            }
            model.watch(&rule);
            if let Ok(fair) = model.fair(&rule, at) {
                prop_assert!(fair.band.lo <= fair.band.mid && fair.band.mid <= fair.band.hi);
                prop_assert!(!fair.band.lo.is_negative() && fair.band.hi <= Px::ONE && !fair.delta.is_negative());
            }
        }
    }
}
