//! Which system this is, and how a Vulkan driver gets onto it.

/// The `ID` and `ID_LIKE` words of an os-release file, `ID` first.
pub fn families(os_release: &str) -> Vec<String> {
    let field = |key: &str| {
        let value = os_release.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        value.map(|v| v.trim().trim_matches(['"', '\''])).unwrap_or_default()
    };
    [field("ID"), field("ID_LIKE")].iter().flat_map(|v| v.split_whitespace()).map(str::to_lowercase).collect()
}

/// Whether packages come by `apt-get` under the names that [`APT_PACKAGES`] has.
pub fn is_debian(families: &[String]) -> bool {
    families.iter().any(|f| f == "debian" || f == "ubuntu")
}

/// Mesa's drivers (the software one, lavapipe, among them), and the loader that finds them.
pub const APT_PACKAGES: [&str; 2] = ["mesa-vulkan-drivers", "libvulkan1"];

/// The commands that install a software Vulkan driver, by os-release family.
const COMMANDS: [(&[&str], &str); 7] = [
    (&["debian", "ubuntu"], "sudo apt-get update && sudo apt-get install mesa-vulkan-drivers libvulkan1"),
    (&["fedora", "rhel", "centos"], "sudo dnf install mesa-vulkan-drivers vulkan-loader"),
    (&["arch", "manjaro"], "sudo pacman -S vulkan-swrast vulkan-icd-loader"),
    (&["alpine"], "sudo apk add mesa-vulkan-swrast vulkan-loader"),
    (&["suse", "opensuse", "sles"], "sudo zypper install libvulkan_lvp libvulkan1"),
    (&["void"], "sudo xbps-install mesa-vulkan-lavapipe vulkan-loader"),
    (&["nixos"], "set `hardware.graphics.enable = true;` in the system's configuration and rebuild it"),
];

/// What to do on a system of these families, in a few lines.
pub fn advice(families: &[String]) -> String {
    let known = families.iter().find_map(|f| COMMANDS.iter().find(|(names, _)| names.contains(&f.as_str())));
    let software = match known {
        Some((_, command)) => format!("Mesa's software Vulkan runs on any processor:\n\n    {command}\n"),
        None => "Install a Vulkan loader (libvulkan.so.1) and Mesa's software Vulkan (lavapipe), which runs on any processor.\n"
            .to_string(),
    };
    format!("{software}\nWith a GPU, install its maker's Vulkan driver instead. Then run the same command again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str, like: &str) -> Vec<String> {
        families(&format!("NAME=\"Some Linux\"\nID={id}\nVERSION_ID=\"1\"\nID_LIKE=\"{like}\"\n"))
    }

    #[test]
    fn derivatives_count_as_what_they_are_like() {
        assert!(is_debian(&of("debian", "")));
        assert!(is_debian(&of("linuxmint", "ubuntu debian")));
        assert!(!is_debian(&of("fedora", "")));
        assert!(!is_debian(&families("")));
        assert!(!is_debian(&families("VERSION_ID=debian\nBUILD_ID=debian")), "only ID and ID_LIKE count");
    }

    #[test]
    fn each_system_gets_its_own_command() {
        for (id, like, want) in [
            ("debian", "", "apt-get install mesa-vulkan-drivers libvulkan1"),
            ("rocky", "rhel centos fedora", "dnf install"),
            ("endeavouros", "arch", "pacman -S vulkan-swrast"),
            ("alpine", "", "apk add mesa-vulkan-swrast"),
            ("opensuse-leap", "suse opensuse", "zypper install"),
            ("nixos", "", "hardware.graphics.enable"),
            ("plan10", "", "libvulkan.so.1"),
        ] {
            let text = advice(&of(id, like));
            assert!(text.contains(want), "{id}: {text}");
        }
    }
}
