//! The commit rule of main: `milestone: <module> v<semver> - <description>`, a blank line, bullets.

use anyhow::{Context, Result, bail};

use crate::proc::{capture, command, root};

/// Commits up to and including the one named in this file are not checked (empty: all are).
const BASE_FILE: &str = "xtask/milestones.base";

/// Branches whose commits need not be milestones yet.
const FREE_BRANCHES: &[&str] = &["dev", "feat/", "fix/", "research/"];

const EXAMPLE: &str = "  milestone: pm-ledger v0.3.0 - reverse fills that failed to settle\n\n  - FAILED after MATCHED takes the fill back\n  - the hedge is unwound in the same step";

/// Checks every commit since the base on HEAD.
pub(crate) fn run() -> Result<Vec<String>> {
    if git(&["rev-parse", "--git-dir"]).is_err() {
        println!("not a git checkout: no commits to check");
        return Ok(Vec::new());
    }
    if git(&["rev-parse", "--verify", "--quiet", "HEAD"]).is_err() {
        println!("no commits yet");
        return Ok(Vec::new());
    }
    let shallow = git(&["rev-parse", "--is-shallow-repository"])?.trim() == "true";
    if shallow {
        println!("shallow clone: only the commits that are here are checked");
    }
    let commits = commits(&range(shallow)?)?;
    let broken: Vec<String> = commits.iter().filter_map(Commit::complaint).collect();
    println!("{} commits checked", commits.len());
    if broken.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("{} commits break the commit rule:\n{}\nThe form is:\n{EXAMPLE}", broken.len(), broken.join("\n"));
    match free_branch() {
        Some(branch) => Ok(vec![format!("note: on `{branch}` this is allowed, on main it is not: {text}")]),
        None => bail!("{text}\nMessages are changed with `git commit --amend` or `git rebase -i`; see CONTRIBUTING.md."),
    }
}

fn git(args: &[&str]) -> Result<String> {
    capture(&mut command("git", args))
}

/// The revisions to check.
fn range(shallow: bool) -> Result<String> {
    let file = root().join(BASE_FILE);
    let text = std::fs::read_to_string(&file).with_context(|| format!("{BASE_FILE} cannot be read"))?;
    let base = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    if base.is_empty() {
        return Ok("HEAD".to_owned());
    }
    if base.starts_with('-') || !base.bytes().all(|b| b.is_ascii_hexdigit()) {
        bail!("{BASE_FILE} holds `{base}`, which is not a commit id");
    }
    let known = git(&["cat-file", "-e", &format!("{base}^{{commit}}")]).is_ok();
    match (known, shallow) {
        (true, _) => Ok(format!("{base}..HEAD")),
        // The history ends before the base, so all that is here is younger.
        (false, true) => Ok("HEAD".to_owned()),
        (false, false) => bail!("{BASE_FILE} names {base}, which is no commit of this repository"),
    }
}

fn commits(range: &str) -> Result<Vec<Commit>> {
    // Fields are separated by characters that no message holds.
    let log = git(&["log", "--format=%h%x1f%P%x1f%B%x1e", range])?;
    Ok(log.split('\u{1e}').filter_map(Commit::parse).collect())
}

/// The current branch when its commits are free.
fn free_branch() -> Option<String> {
    let branch = git(&["symbolic-ref", "--quiet", "--short", "HEAD"]).ok()?;
    let branch = branch.trim();
    is_free(branch).then(|| branch.to_owned())
}

fn is_free(branch: &str) -> bool {
    FREE_BRANCHES.iter().any(|free| if free.ends_with('/') { branch.starts_with(free) } else { branch == *free })
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Commit {
    id: String,
    parents: usize,
    message: String,
}

impl Commit {
    fn parse(record: &str) -> Option<Self> {
        let mut fields = record.trim_start_matches('\n').splitn(3, '\u{1f}');
        let id = fields.next().filter(|id| !id.is_empty())?.to_owned();
        let parents = fields.next()?.split_whitespace().count();
        Some(Self { id, parents, message: fields.next()?.to_owned() })
    }

    /// What is wrong with it, for a person.
    fn complaint(&self) -> Option<String> {
        let title = self.message.lines().next().unwrap_or_default();
        if self.parents > 1 {
            return Some(format!("  {} \"{title}\": a merge commit; main is linear, rebase instead", self.id));
        }
        check_message(&self.message).err().map(|reason| format!("  {} \"{title}\": {reason}", self.id))
    }
}

/// Checks one message; the error says what is wrong.
fn check_message(message: &str) -> Result<(), String> {
    let mut lines = message.trim_end().lines();
    check_title(lines.next().unwrap_or_default())?;
    match lines.next() {
        Some("") => {}
        Some(_) => return Err("the second line must be blank".to_owned()),
        None => return Err("there are no bullets below the title".to_owned()),
    }
    let mut bullets = 0_usize;
    for (n, line) in lines.enumerate() {
        let number = n + 3;
        let is_bullet = line.strip_prefix("- ").is_some_and(|text| !text.trim().is_empty());
        let goes_on = bullets > 0 && line.strip_prefix("  ").is_some_and(|text| !text.trim().is_empty());
        if !is_bullet && !goes_on {
            return Err(format!("line {number} is neither a bullet (`- ..`) nor its continuation (two blanks): \"{line}\""));
        }
        bullets += usize::from(is_bullet);
    }
    if bullets == 0 {
        return Err("there are no bullets below the title".to_owned());
    }
    Ok(())
}

fn check_title(title: &str) -> Result<(), String> {
    let rest = title.strip_prefix("milestone: ").ok_or("the title must start with `milestone: `")?;
    let (head, description) = rest.split_once(" - ").ok_or("the title needs ` - <description>`")?;
    let (module, version) = head.split_once(' ').ok_or("the title needs `<module> v<version>` before ` - `")?;
    let module_ok = module.starts_with(|c: char| c.is_ascii_lowercase())
        && module.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c));
    if !module_ok {
        return Err(format!("`{module}` is not a module name (lower case, e.g. `pm-ledger`)"));
    }
    if !version.strip_prefix('v').is_some_and(is_semver) {
        return Err(format!("`{version}` is not a version of the form v0.3.0"));
    }
    if description.trim().is_empty() {
        return Err("the description is empty".to_owned());
    }
    Ok(())
}

/// `1.2.3`, `1.2.3-rc.1`, `1.2.3+build`: three numbers without leading zeros.
fn is_semver(version: &str) -> bool {
    let part_ok = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let (version, build) = version.split_once('+').map_or((version, None), |(v, b)| (v, Some(b)));
    let (core, pre) = version.split_once('-').map_or((version, None), |(c, p)| (c, Some(p)));
    let numbers: Vec<&str> = core.split('.').collect();
    let number_ok = |n: &&str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && (*n == "0" || !n.starts_with('0'));
    numbers.len() == 3
        && numbers.iter().all(number_ok)
        && [pre, build].into_iter().flatten().all(|tail| tail.split('.').all(part_ok))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLE: &str = "milestone: pm-ledger v0.3.0 - reverse failed fills";

    #[test]
    fn the_form_passes() {
        for body in ["- one", "- one\n- two\n", "- one that\n  goes on\n- two"] {
            assert_eq!(check_message(&format!("{TITLE}\n\n{body}")), Ok(()), "{body}");
        }
        assert_eq!(check_message("milestone: workspace v1.0.0-rc.1 - a - b\n\n- x"), Ok(()));
    }

    #[track_caller]
    fn refused(message: &str, part: &str) {
        let error = check_message(message).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn other_forms_are_refused_with_the_reason() {
        refused("fix: something\n\n- x", "milestone: ");
        refused("milestone: pm-core v0.1.0\n\n- x", "description");
        refused("milestone: pm-core 0.1.0 - x\n\n- x", "version");
        refused("milestone: pm-core v0.1 - x\n\n- x", "version");
        refused("milestone: pm-core v01.0.0 - x\n\n- x", "version");
        refused("milestone: PM Core v0.1.0 - x\n\n- x", "module name");
        refused("milestone: v0.1.0 - x\n\n- x", "module");
        refused("milestone: pm-core v0.1.0 -  \n\n- x", "description");
        refused(TITLE, "no bullets");
        refused(&format!("{TITLE}\n- x"), "second line");
        refused(&format!("{TITLE}\n\nwords"), "line 3");
        refused(&format!("{TITLE}\n\n  goes on from nothing"), "line 3");
        refused(&format!("{TITLE}\n\n- x\n\n- y"), "line 4");
        refused(&format!("{TITLE}\n\n- x\nwrapped badly"), "line 4");
        refused(&format!("{TITLE}\n\n-  "), "bullet");
        refused("", "milestone: ");
    }

    #[test]
    fn merges_are_refused() {
        let commit = |parents| Commit { id: "abc".into(), parents, message: format!("{TITLE}\n\n- x") };
        assert_eq!(commit(1).complaint(), None);
        assert_eq!(commit(0).complaint(), None);
        assert!(commit(2).complaint().is_some_and(|text| text.contains("merge")));
    }

    #[test]
    fn git_records_are_parsed() {
        let record = format!("\nabc123\u{1f}p1 p2\u{1f}{TITLE}\n\n- x\n");
        let commit = Commit::parse(&record).unwrap();
        assert_eq!((commit.id.as_str(), commit.parents), ("abc123", 2));
        assert_eq!(Commit::parse("\n"), None);
    }

    #[test]
    fn work_branches_are_free_and_main_is_not() {
        assert!(is_free("dev") && is_free("feat/x") && is_free("fix/y") && is_free("research/z"));
        assert!(!is_free("main") && !is_free("develop") && !is_free("hotfix/x") && !is_free("feature"));
    }
}
