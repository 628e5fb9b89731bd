//! Option symbols: `BASE-DMMMYY-STRIKE-(C|P)[-USDT]` (venues/bybit.md 3.3). The strike exists nowhere else; everything else is also a field.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use pm_core::instrument::OptionRight;
use pm_core::time::Ts;
use pm_core::units::Px;

/// What a symbol says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionTerms<'a> {
    /// Base coin.
    pub base: &'a str,
    /// 08:00 UTC of the expiry day (venues/bybit.md 7).
    pub expiry: Ts,
    /// Strike in quote currency.
    pub strike: Px,
    /// Call or put.
    pub right: OptionRight,
    /// Settlement coin: `USDT` with the suffix, `USDC` without.
    pub settle: &'a str,
}

/// Why a symbol is not an option's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OptionSymbolError {
    /// Not four or five parts between hyphens.
    #[error("not BASE-DMMMYY-STRIKE-C|P[-USDT]")]
    Shape,
    /// The second part is not a day such as `6JAN23`.
    #[error("the expiry is not a day such as 6JAN23")]
    Expiry,
    /// The third part is not a positive number.
    #[error("the strike is not a positive number")]
    Strike,
    /// The fourth part is neither `C` nor `P`.
    #[error("the right is neither C nor P")]
    Right,
    /// The fifth part is not a coin that options settle in.
    #[error("the settlement coin is neither USDT nor USDC")]
    Settle,
}

/// Reads a symbol.
///
/// # Errors
/// The first part that does not fit, see [`OptionSymbolError`].
pub fn parse(symbol: &str) -> Result<OptionTerms<'_>, OptionSymbolError> {
    let mut parts = symbol.split('-');
    let (Some(base), Some(day), Some(strike), Some(right), suffix, None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(OptionSymbolError::Shape);
    };
    if base.is_empty() {
        return Err(OptionSymbolError::Shape);
    }
    Ok(OptionTerms {
        base,
        expiry: expiry(day).ok_or(OptionSymbolError::Expiry)?,
        strike: strike.parse().ok().filter(|s: &Px| s.is_positive()).ok_or(OptionSymbolError::Strike)?,
        right: match right {
            "C" => OptionRight::Call,
            "P" => OptionRight::Put,
            _ => return Err(OptionSymbolError::Right),
        },
        settle: match suffix {
            None => "USDC",
            Some(coin @ ("USDT" | "USDC")) => coin,
            Some(_) => return Err(OptionSymbolError::Settle),
        },
    })
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// `6JAN23` to 08:00 UTC of that day.
fn expiry(text: &str) -> Option<Ts> {
    let month_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (day, rest) = text.split_at(month_at);
    let (month, year) = (rest.get(..3)?, rest.get(3..)?);
    if year.len() != 2 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let month = i8::try_from(MONTHS.iter().position(|m| *m == month)? + 1).ok()?;
    let date = Date::new(2000 + year.parse::<i16>().ok()?, month, day.parse().ok()?).ok()?;
    let instant = TimeZone::UTC.to_timestamp(date.at(8, 0, 0, 0)).ok()?;
    Some(Ts::from_secs(instant.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn symbols_of_both_settlement_coins() {
        let t = parse("BTC-25JUN27-106000-P-USDT").unwrap();
        // deliveryTime of the instrument list for this symbol: 1813910400000.
        assert_eq!(
            t,
            OptionTerms {
                base: "BTC",
                expiry: Ts::from_millis(1_813_910_400_000),
                strike: Px::whole(106_000),
                right: OptionRight::Put,
                settle: "USDT"
            }
        );
        let t = parse("XRP-30OCT26-0.4-C").unwrap();
        assert_eq!((t.strike, t.right, t.settle), ("0.4".parse().unwrap(), OptionRight::Call, "USDC"));
        assert_eq!(t.expiry, Ts::from_millis(1_793_347_200_000));
        assert_eq!(parse("ETH-3JAN23-1250-P").unwrap().expiry, Ts::from_millis(1_672_732_800_000));
    }

    #[test]
    fn each_part_has_its_refusal() {
        for (symbol, why) in [
            ("BTCUSDT", OptionSymbolError::Shape),
            ("-25JUN27-1-C", OptionSymbolError::Shape),
            ("BTC-25JUN27-1-C-USDT-X", OptionSymbolError::Shape),
            ("BTC-31FEB27-106000-P", OptionSymbolError::Expiry),
            ("BTC-25jun27-106000-P", OptionSymbolError::Expiry),
            ("BTC-25JUN2027-106000-P", OptionSymbolError::Expiry),
            ("BTC-25JUN27-0-P", OptionSymbolError::Strike),
            ("BTC-25JUN27-x-P", OptionSymbolError::Strike),
            ("BTC-25JUN27-106000-X", OptionSymbolError::Right),
            ("BTC-25JUN27-106000-P-EUR", OptionSymbolError::Settle),
        ] {
            assert_eq!(parse(symbol), Err(why), "{symbol}");
        }
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn shapes_never_panic(text in "[A-Z]{0,4}-[0-9]{0,3}[A-Z\u{e9}]{0,4}[0-9]{0,3}-[0-9.e+-]{0,12}-[CPX](-USD[TC])?") {
            let _ = parse(&text);
        }
    }
}
