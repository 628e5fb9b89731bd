//! Tests that could not run must not look like tests that passed. A test that skips itself appends one line
//! `SKIPPED <name>: <reason>` to the file named by `PMBOT_SKIP_LOG` (the contract) and prints it (seen when
//! it is run by hand). Lines that were only printed are found in the runner's report, too.

use std::collections::BTreeSet;

/// The environment variable that names the file.
pub(crate) const SKIP_LOG: &str = "PMBOT_SKIP_LOG";

const MARK: &str = "SKIPPED ";

/// The skip lines of a text (a log file, or the printed output of tests), sorted, each once.
pub(crate) fn in_text(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(skip_line).collect()
}

/// The skip lines in a JUnit report (outputs of tests are XML text there).
pub(crate) fn in_junit(xml: &str) -> BTreeSet<String> {
    xml.split(['\n', '<', '>']).filter_map(|piece| skip_line(&unescape(piece))).collect()
}

fn skip_line(line: &str) -> Option<String> {
    let line = line.trim();
    let rest = line.strip_prefix(MARK)?;
    let (name, reason) = rest.split_once(": ")?;
    (!name.trim().is_empty() && !reason.trim().is_empty()).then(|| line.to_owned())
}

fn unescape(xml: &str) -> String {
    xml.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_of_the_form_count_and_each_once() {
        let text = "running 3 tests\nSKIPPED a::b: no data\n  SKIPPED a::b: no data\nSKIPPED: x\nNOT SKIPPED c: d\nSKIPPED e:\n";
        assert_eq!(in_text(text).into_iter().collect::<Vec<_>>(), ["SKIPPED a::b: no data"]);
    }

    #[test]
    fn junit_output_is_read() {
        let xml = "<testcase name=\"t\"><system-out>running 1 test\nSKIPPED t: a &lt; b &amp; c\n</system-out><system-out>SKIPPED u: first line</system-out>";
        let found: Vec<_> = in_junit(xml).into_iter().collect();
        assert_eq!(found, ["SKIPPED t: a < b & c", "SKIPPED u: first line"]);
    }
}
