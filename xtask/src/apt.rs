//! Packages of Debian unpacked into a folder, without rights to install and without a trace in the system.
//!
//! apt downloads and verifies (Debian's keyring signs the lists, the lists have each package's checksum); its lists, cache and state
//! lie in the folder, too.
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What to get, and from where.
pub struct Wanted<'a> {
    /// Suites of Debian, such as `bookworm-backports`. The newest version of the first one wins.
    pub suites: &'a [&'a str],
    /// These packages and all that they depend on, the C library included: nothing of the system's is in it.
    pub whole: &'a [&'a str],
    /// These packages alone.
    pub alone: &'a [&'a str],
}

/// The file that tells that a folder is whole: a line for each package, with its version.
const VERSIONS: &str = "versions";

/// Downloads and unpacks into `dir/root`, unless that was done before, and gives the packages with their versions.
pub fn unpacked(dir: &Path, wanted: &Wanted) -> Result<Vec<(String, String)>, String> {
    let list = dir.join(VERSIONS);
    // Another wish in the same folder is another set of packages.
    let wish = format!("# {:?} {:?} {:?}", wanted.suites, wanted.whole, wanted.alone);
    if let Some(rest) = fs::read_to_string(&list).ok().and_then(|t| t.strip_prefix(&wish).map(String::from)) {
        return Ok(parse_versions(&rest));
    }
    let _ = fs::remove_dir_all(dir);
    for part in ["lists/partial", "cache/archives/partial", "state", "root"] {
        make(&dir.join(part))?;
    }
    let sources = sources();
    let lines: String = wanted.suites.iter().map(|suite| line(suite, &sources)).collect();
    write(&dir.join("apt.list"), &lines)?;
    // Nothing is installed, so that apt finds all that is needed.
    write(&dir.join("status"), "")?;
    apt(dir, &["update"])?;
    if !wanted.whole.is_empty() {
        let install = ["install", "-y", "--no-install-recommends", "--download-only", "-t", wanted.suites[0]];
        apt(dir, &[&install, wanted.whole].concat())?;
    }
    if !wanted.alone.is_empty() {
        apt(dir, &[&["download", "-t", wanted.suites[0]], wanted.alone].concat())?;
    }
    let debs = fs::read_dir(dir.join("cache/archives")).map_err(|e| e.to_string())?.flatten().map(|e| e.path());
    let mut debs: Vec<PathBuf> = debs.filter(|p| p.extension().is_some_and(|e| e == "deb")).collect();
    debs.sort();
    let mut versions = String::new();
    for deb in &debs {
        quietly(Command::new("dpkg").arg("-x").arg(deb).arg(dir.join("root")))?;
        let name = deb.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let mut parts = name.split('_');
        let (package, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default().replace("%3a", ":"));
        versions += &format!("{package} {version}\n");
    }
    for part in ["lists", "cache", "state"] {
        fs::remove_dir_all(dir.join(part)).map_err(|e| format!("{} cannot be removed: {e}", dir.join(part).display()))?;
    }
    // Written last: where it is, the rest is whole.
    write(&list, &format!("{wish}\n{versions}"))?;
    Ok(parse_versions(&versions))
}

fn parse_versions(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(|l| l.split_once(' ')).map(|(name, version)| (name.to_string(), version.to_string())).collect()
}

fn apt(dir: &Path, args: &[&str]) -> Result<(), String> {
    let below = |name: &str, part: &str| format!("{name}={}", dir.join(part).display());
    let options = [
        below("Dir::Etc::sourcelist", "apt.list"),
        "Dir::Etc::sourceparts=/dev/null".to_string(),
        "Dir::Etc::preferences=/dev/null".to_string(),
        "Dir::Etc::preferencesparts=/dev/null".to_string(),
        below("Dir::State", "state"),
        below("Dir::State::Lists", "lists"),
        below("Dir::State::status", "status"),
        below("Dir::Cache", "cache"),
        "Acquire::Languages=none".to_string(),
        // The lists of a browser's icons and of source packages are of no use here.
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_string(),
        // The user `_apt` need not be able to come here, and nobody else uses the folder.
        "APT::Sandbox::User=root".to_string(),
        "Debug::NoLocking=true".to_string(),
    ];
    let mut command = Command::new("apt-get");
    command.arg("-q").args(options.iter().flat_map(|o| ["-o", o])).args(args).current_dir(dir.join("cache/archives"));
    quietly(command.env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Runs `command`. What it says goes to stderr: stdout is for results.
pub fn quietly(command: &mut Command) -> Result<(), String> {
    let out = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let name = command.get_program().to_string_lossy().into_owned();
    let out = out.map_err(|e| format!("{name} does not start: {e}"))?;
    eprint!("{}", String::from_utf8_lossy(&out.stdout));
    if out.status.success() { Ok(()) } else { Err(format!("{name} failed, see above")) }
}

pub fn make(dir: &Path) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|e| format!("{} cannot be made: {e}", dir.display()))
}

pub fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}

/// The line of a list of sources for `suite`, from the mirror that this machine uses.
fn line(suite: &str, sources: &str) -> String {
    let mirror = if suite.ends_with("-security") {
        mirror(sources, suite).unwrap_or_else(|| "http://deb.debian.org/debian-security".to_string())
    } else {
        mirror(sources, "bookworm").unwrap_or_else(|| "http://deb.debian.org/debian".to_string())
    };
    format!("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {suite} main\n")
}

/// Whether this is Debian 12, for what is unpacked here is made for it.
pub fn is_bookworm() -> bool {
    says_bookworm(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

fn says_bookworm(os_release: &str) -> bool {
    let has = |line: &str| os_release.lines().any(|l| l.replace('"', "") == line);
    has("ID=debian") && has("VERSION_ID=12")
}

/// All that apt's lists of sources say.
fn sources() -> String {
    let parts = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|e| e.path());
    let parts = parts.filter(|p| p.extension().is_some_and(|e| e == "list" || e == "sources"));
    let files = std::iter::once(PathBuf::from("/etc/apt/sources.list")).chain(parts);
    files.filter_map(|p| fs::read_to_string(p).ok()).map(|text| text + "\n\n").collect()
}

/// Where this machine gets `suite` from: a mirror has Debian's other suites, too. In lines `deb [options] URI suite ...`, or in
/// paragraphs with `URIs:` and `Suites:`.
fn mirror(sources: &str, suite: &str) -> Option<String> {
    let in_line = |line: &str| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
        let mut words = rest.split_whitespace();
        let uri = words.next()?;
        (words.next()? == suite).then(|| uri.to_string())
    };
    let in_paragraph = |paragraph: &str| {
        let field = |name: &str| paragraph.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
        let suites = field("Suites:")?.split_whitespace().any(|s| s == suite);
        let uri = field("URIs:")?.split_whitespace().next()?;
        (suites && field("Enabled:") != Some("no")).then(|| uri.to_string())
    };
    sources.lines().find_map(in_line).or_else(|| sources.split("\n\n").find_map(in_paragraph))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_one_that_the_machine_uses() {
        let of = |sources: &str| mirror(sources, "bookworm");
        let line =
            "# deb http://old.example/debian bookworm main\ndeb [arch=amd64] http://a.example/debian bookworm main contrib\n";
        assert_eq!(of(line).as_deref(), Some("http://a.example/debian"));
        let security = "Types: deb\nURIs: http://s.example/debian-security\nSuites: bookworm-security\n";
        let paragraph = "Types: deb\n# a word\nURIs: http://b.example/debian\nSuites: bookworm bookworm-updates\n";
        let both = format!("{security}\n{paragraph}");
        assert_eq!(of(&both).as_deref(), Some("http://b.example/debian"));
        assert_eq!(mirror(&both, "bookworm-security").as_deref(), Some("http://s.example/debian-security"));
        for other in ["", security, "deb http://c.example/node nodistro main\n", &format!("Enabled: no\n{paragraph}")] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn each_suite_comes_from_its_mirror() {
        let sources = "deb http://a.example/debian bookworm main\ndeb http://s.example/sec bookworm-security main\n";
        let keyring = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
        assert_eq!(line("testing", sources), format!("deb {keyring} http://a.example/debian testing main\n"));
        assert_eq!(line("bookworm-security", sources), format!("deb {keyring} http://s.example/sec bookworm-security main\n"));
        assert_eq!(line("testing", ""), format!("deb {keyring} http://deb.debian.org/debian testing main\n"));
        let security = format!("deb {keyring} http://deb.debian.org/debian-security bookworm-security main\n");
        assert_eq!(line("bookworm-security", ""), security);
    }

    #[test]
    fn only_debian_12_is_debian_12() {
        assert!(says_bookworm("NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n"));
        assert!(!says_bookworm("VERSION_ID=\"13\"\nID=debian\n"));
        assert!(!says_bookworm("VERSION_ID=\"12\"\nID=devuan\n") && !says_bookworm(""));
    }

    #[test]
    fn what_is_whole_is_not_fetched_again_unless_something_else_is_wanted() {
        let dir = std::env::temp_dir().join(format!("ridgepole-xtask-apt-{}", std::process::id()));
        make(&dir).unwrap();
        let wanted = Wanted { suites: &["no-such-suite"], whole: &["a"], alone: &[] };
        write(&dir.join(VERSIONS), "# [\"no-such-suite\"] [\"a\"] []\na 1:2.3-4\nb 5\n").unwrap();
        let found = unpacked(&dir, &wanted);
        fs::remove_dir_all(&dir).unwrap();
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        assert_eq!(found, Ok(vec![pair("a", "1:2.3-4"), pair("b", "5")]));
    }
}
