//! `cargo xtask mesa25`: Mesa 25.0.7's software Vulkan beside the Mesa 22.3 of Debian 12, for programs that want it.
//!
//! Mesa 22.3 drops what a shader's invocation does after 65,535 loop trips. ridgepole's kernels stay below; others' do not.
use crate::apt::{self, Wanted};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The driver, and what of it must be as new. The rest, LLVM above all, is the system's, as is the program that loads it.
const WANTED: Wanted = Wanted {
    suites: &["bookworm-backports", "bookworm"],
    whole: &[],
    alone: &[
        "mesa-vulkan-drivers",
        "mesa-libgallium",
        "libegl-mesa0",
        "libgbm1",
        "libdrm2",
        "libdrm-amdgpu1",
        "libdrm-intel1",
        "libdrm-radeon1",
        "libdrm-common",
    ],
};

/// Unpacks the driver below `target`, unless it is there, and prints the variables that select it, for the shell's `eval`.
pub fn mesa25(root: &Path) -> Result<u8, String> {
    if !apt::is_bookworm() {
        return Err("this unpacks packages of Debian 12's backports, on Debian 12. Elsewhere, Mesa 25 or newer comes with the \
                    system, or a GPU has a driver of its own; `cargo run -p ridgepole-cli -- devices` shows the version"
            .to_string());
    }
    let dir = root.join("target/mesa25");
    apt::unpacked(&dir, &WANTED)?;
    let library = find(&dir.join("root"))?;
    complete(&library)?;
    let manifest = dir.join("lvp_icd.json");
    // Written anew, for the folder may have been moved.
    apt::write(&manifest, &icd(&library))?;
    let folder = library.parent().unwrap_or(&dir);
    println!("export VK_DRIVER_FILES='{}'", manifest.display());
    println!("export LD_LIBRARY_PATH='{}'${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}", folder.display());
    Ok(0)
}

/// The manifest that shows `library` to the Vulkan loader.
pub fn icd(library: &Path) -> String {
    let library = library.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    format!("{{\"ICD\": {{\"api_version\": \"1.3.0\", \"library_path\": \"{library}\"}}, \"file_format_version\": \"1.0.0\"}}\n")
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
