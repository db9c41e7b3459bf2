//! `cargo xtask mesa25`: Mesa 25.0.7's software Vulkan beside the Mesa 22.3 of Debian 12, for programs that want it.
//!
//! Mesa 22.3 drops what a shader's invocation does after 65,535 loop trips. ridgepole's kernels stay below; others' do not.
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The driver, and what of it must be as new. The rest, LLVM above all, is the system's.
const PACKAGES: [&str; 9] = [
    "mesa-vulkan-drivers",
    "mesa-libgallium",
    "libegl-mesa0",
    "libgbm1",
    "libdrm2",
    "libdrm-amdgpu1",
    "libdrm-intel1",
    "libdrm-radeon1",
    "libdrm-common",
];

/// Unpacks the driver below `target`, unless it is there, and prints the variables that select it, for the shell's `eval`.
pub fn mesa25(root: &Path) -> Result<u8, String> {
    let os = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !is_bookworm(&os) {
        return Err("this unpacks packages of Debian 12's backports, on Debian 12. Elsewhere, Mesa 25 or newer comes with the \
                    system, or a GPU has a driver of its own; `cargo run -p ridgepole-cli -- devices` shows the version"
            .to_string());
    }
    let dir = root.join("target/mesa25");
    let manifest = dir.join("lvp_icd.json");
    if !manifest.exists() {
        unpack(&dir)?;
    }
    let library = find(&dir.join("root"))?;
    complete(&library)?;
    let text = format!(
        "{{\"ICD\": {{\"api_version\": \"1.4.305\", \"library_path\": \"{}\"}}, \"file_format_version\": \"1.0.0\"}}\n",
        library.display()
    );
    // Written last: where it is, the rest is whole. And written anew, for the folder may have been moved.
    fs::write(&manifest, text).map_err(|e| format!("{} cannot be written: {e}", manifest.display()))?;
    let folder = library.parent().unwrap_or(&dir);
    println!("export VK_DRIVER_FILES='{}'", manifest.display());
    println!("export LD_LIBRARY_PATH='{}'${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}", folder.display());
    Ok(0)
}

/// Downloads and unpacks the packages. apt keeps its lists and files here, so that it needs no rights and the system no change.
fn unpack(dir: &Path) -> Result<(), String> {
    let _ = fs::remove_dir_all(dir);
    for part in ["lists/partial", "cache/archives/partial", "debs", "root"] {
        fs::create_dir_all(dir.join(part)).map_err(|e| format!("{} cannot be made: {e}", dir.join(part).display()))?;
    }
    let mirror = mirror(&sources());
    let line = |suite| format!("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {suite} main\n");
    let list = dir.join("apt.list");
    let lines = line("bookworm") + &line("bookworm-backports");
    fs::write(&list, lines).map_err(|e| format!("{} cannot be written: {e}", list.display()))?;
    let options = [
        format!("Dir::Etc::sourcelist={}", list.display()),
        "Dir::Etc::sourceparts=/dev/null".to_string(),
        format!("Dir::State::Lists={}", dir.join("lists").display()),
        format!("Dir::Cache={}", dir.join("cache").display()),
        "Acquire::Languages=none".to_string(),
        // The user `_apt` need not be able to come here.
        "APT::Sandbox::User=root".to_string(),
    ];
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("-q").args(options.iter().flat_map(|o| ["-o", o])).args(args).current_dir(dir.join("debs"));
        quietly(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["-t", "bookworm-backports", "download"], &PACKAGES[..]].concat())?;
    let debs = fs::read_dir(dir.join("debs")).map_err(|e| e.to_string())?;
    for deb in debs.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "deb")) {
        quietly(Command::new("dpkg").arg("-x").arg(deb).arg(dir.join("root")))?;
    }
    Ok(())
}

/// Runs `command`. What it says goes to stderr: stdout is for the variables.
fn quietly(command: &mut Command) -> Result<(), String> {
    let out = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let name = command.get_program().to_string_lossy().into_owned();
    let out = out.map_err(|e| format!("{name} does not start: {e}"))?;
    eprint!("{}", String::from_utf8_lossy(&out.stdout));
    if out.status.success() { Ok(()) } else { Err(format!("{name} failed, see above")) }
}

/// The driver among what was unpacked; its folder has the name of the processor.
fn find(root: &Path) -> Result<PathBuf, String> {
    let folders = fs::read_dir(root.join("usr/lib")).into_iter().flatten().flatten();
    let library = folders.map(|e| e.path().join("libvulkan_lvp.so")).find(|p| p.exists());
    library.ok_or_else(|| format!("there is no libvulkan_lvp.so in {}; remove {0} and try again", root.display()))
}

/// Checks that the libraries of the driver are there.
fn complete(library: &Path) -> Result<(), String> {
    let ldd = Command::new("ldd").arg(library).env("LD_LIBRARY_PATH", library.parent().unwrap_or(library)).output();
    let text = ldd.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    let missing: Vec<&str> =
        text.lines().filter(|l| l.contains("not found")).filter_map(|l| l.split_whitespace().next()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(", ");
    Err(format!("the driver needs {missing}, which come with the system's own: apt-get install mesa-vulkan-drivers libvulkan1"))
}

fn is_bookworm(os_release: &str) -> bool {
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

/// Where this machine gets Debian from: that has the backports, too. In lines `deb [options] URI suite ...`, or in paragraphs with
/// `URIs:` and `Suites:`.
fn mirror(sources: &str) -> String {
    let in_line = |line: &str| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
        let mut words = rest.split_whitespace();
        let uri = words.next()?;
        (words.next()? == "bookworm").then(|| uri.to_string())
    };
    let in_paragraph = |paragraph: &str| {
        let field = |name: &str| paragraph.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
        let suites = field("Suites:")?.split_whitespace().any(|s| s == "bookworm");
        let uri = field("URIs:")?.split_whitespace().next()?;
        (suites && field("Enabled:") != Some("no")).then(|| uri.to_string())
    };
    let found = sources.lines().find_map(in_line).or_else(|| sources.split("\n\n").find_map(in_paragraph));
    found.unwrap_or_else(|| "http://deb.debian.org/debian".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_one_that_the_machine_uses() {
        let line =
            "# deb http://old.example/debian bookworm main\ndeb [arch=amd64] http://a.example/debian bookworm main contrib\n";
        assert_eq!(mirror(line), "http://a.example/debian");
        let security = "Types: deb\nURIs: http://s.example/debian-security\nSuites: bookworm-security\n";
        let paragraph = "Types: deb\n# a word\nURIs: http://b.example/debian\nSuites: bookworm bookworm-updates\n";
        assert_eq!(mirror(&format!("{security}\n{paragraph}")), "http://b.example/debian");
        for other in ["", security, "deb http://c.example/node nodistro main\n", &format!("Enabled: no\n{paragraph}")] {
            assert_eq!(mirror(other), "http://deb.debian.org/debian", "{other}");
        }
    }

    #[test]
    fn only_debian_12_is_debian_12() {
        assert!(is_bookworm("NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n"));
        assert!(!is_bookworm("VERSION_ID=\"13\"\nID=debian\n"));
        assert!(!is_bookworm("VERSION_ID=\"12\"\nID=devuan\n") && !is_bookworm(""));
    }
}
