//! Finds a GPU driver, installs a software one, or says how.
use crate::os;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a Vulkan program needs: the loader, and at least one driver's manifest.
struct Found {
    loader: bool,
    manifests: Vec<PathBuf>,
}

impl Found {
    fn missing(&self) -> Option<&'static str> {
        match (self.loader, self.manifests.is_empty()) {
            (true, false) => None,
            (true, true) => Some("There is no Vulkan driver on this machine (no manifest in any vulkan/icd.d)."),
            (false, false) => Some("There is a Vulkan driver on this machine, but no loader (libvulkan.so.1)."),
            (false, true) => Some("There is no GPU driver on this machine: neither a Vulkan driver nor its loader."),
        }
    }
}

/// Makes sure that there is a driver.
pub fn ensure() -> Result<(), String> {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return Ok(()); // Metal and DirectX 12 are part of the system.
    }
    let Some(why) = look().missing() else { return Ok(()) };
    println!("{why}");
    let families = os::families(&std::fs::read_to_string("/etc/os-release").unwrap_or_default());
    if !os::is_debian(&families) {
        return Err(os::advice(&families));
    }
    let Some(prefix) = rights() else {
        return Err(format!("Installing one needs root, or sudo without a password. {}", os::advice(&families)));
    };
    println!("Installing Mesa's software Vulkan: {}.", os::APT_PACKAGES.join(", "));
    // A stale or broken third-party list must not stop an install that would work.
    if !apt(prefix, &["update"]) {
        println!("`apt-get update` failed; trying with the lists that are there.");
    }
    let install: Vec<&str> = ["install", "-y", "--no-install-recommends"].into_iter().chain(os::APT_PACKAGES).collect();
    if !apt(prefix, &install) {
        return Err(format!("`apt-get {}` failed, see above. {}", install.join(" "), os::advice(&families)));
    }
    match look().missing() {
        None => Ok(()),
        Some(why) => Err(format!("The packages are installed, and yet: {why}")),
    }
}

/// What to put before `apt-get`: nothing for root, sudo where it asks for no password.
fn rights() -> Option<&'static [&'static str]> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(&[]);
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    sudo.success().then_some(&["sudo", "-n"])
}

fn apt(prefix: &[&str], args: &[&str]) -> bool {
    let line: Vec<&str> = prefix
        .iter()
        .copied()
        .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"])
        .chain(args.iter().copied())
        .collect();
    Command::new(line[0]).args(&line[1..]).stdin(Stdio::null()).status().is_ok_and(|s| s.success())
}

fn look() -> Found {
    let var = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    let named = var("VK_DRIVER_FILES").or_else(|| var("VK_ICD_FILENAMES"));
    let manifests = match named {
        // The loader then looks nowhere else.
        Some(list) => std::env::split_paths(&list).filter(|p| p.exists()).collect(),
        None => manifest_dirs(&var).iter().flat_map(|d| manifests_in(d)).collect(),
    };
    Found { loader: has_loader(&var), manifests }
}

/// The folders that the Vulkan loader searches.
fn manifest_dirs(var: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let mut bases: Vec<PathBuf> = ["/usr/share", "/usr/local/share", "/etc", "/usr/local/etc", "/run/opengl-driver/share"]
        .into_iter()
        .map(PathBuf::from)
        .collect();
    for (name, home) in [("XDG_DATA_HOME", ".local/share"), ("XDG_CONFIG_HOME", ".config")] {
        bases.extend(var(name).map(PathBuf::from).or_else(|| var("HOME").map(|h| Path::new(&h).join(home))));
    }
    for name in ["XDG_DATA_DIRS", "XDG_CONFIG_DIRS"] {
        bases.extend(var(name).iter().flat_map(|v| std::env::split_paths(v).collect::<Vec<_>>()));
    }
    bases.iter().map(|b| b.join("vulkan/icd.d")).collect()
}

fn manifests_in(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    entries.filter(|p| p.extension().is_some_and(|e| e == "json")).collect()
}

fn has_loader(var: &dyn Fn(&str) -> Option<OsString>) -> bool {
    // `/sbin` is not on every user's PATH.
    let cached = ["ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"].iter().any(|program| {
        let list = Command::new(program).arg("-p").stderr(Stdio::null()).output();
        list.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("libvulkan.so.1"))
    });
    // musl keeps no cache, and LD_LIBRARY_PATH is in none.
    let mut dirs: Vec<PathBuf> = ["/lib", "/usr/lib", "/usr/lib64", "/usr/local/lib"].into_iter().map(PathBuf::from).collect();
    dirs.extend(var("LD_LIBRARY_PATH").iter().flat_map(|v| std::env::split_paths(v).collect::<Vec<_>>()));
    cached || dirs.iter().any(|d| d.join("libvulkan.so.1").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_needs_both_halves() {
        let found = |loader, n| Found { loader, manifests: vec![PathBuf::from("lvp_icd.json"); n] };
        assert!(found(true, 1).missing().is_none());
        assert!(found(true, 0).missing().is_some_and(|w| w.contains("no Vulkan driver")));
        assert!(found(false, 1).missing().is_some_and(|w| w.contains("no loader")));
        assert!(found(false, 0).missing().is_some_and(|w| w.contains("neither")));
    }

    #[test]
    fn the_users_own_folders_are_searched() {
        let dirs = manifest_dirs(&|name| match name {
            "HOME" => Some("/home/ada".into()),
            "XDG_DATA_DIRS" => Some("/opt/share:/srv/share".into()),
            _ => None,
        });
        for want in ["/usr/share", "/etc", "/home/ada/.local/share", "/opt/share", "/srv/share"] {
            let want = Path::new(want).join("vulkan/icd.d");
            assert!(dirs.contains(&want), "{want:?} in {dirs:?}");
        }
    }

    #[test]
    fn only_json_files_are_manifests() {
        let dir = std::env::temp_dir().join(format!("ridgepole-xtask-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a temporary folder");
        for name in ["lvp_icd.x86_64.json", "README"] {
            std::fs::write(dir.join(name), "{}").expect("a temporary file");
        }
        let found = manifests_in(&dir);
        std::fs::remove_dir_all(&dir).expect("the temporary folder is there");
        assert_eq!(found, [dir.join("lvp_icd.x86_64.json")]);
        assert!(manifests_in(&dir).is_empty(), "a folder that is not there");
    }
}
