//! What users download: every package is made as `cargo publish` makes it, unpacked, built and run by its doctests. A file that the
//! package leaves out, a path into the repository, or a dependency that only the workspace has is found here.
use crate::stages::cargo;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Makes, unpacks, builds, runs. The dependencies are those that the workspace has built: same lock, same profile, same target folder.
pub fn package(root: &Path) -> Result<String, String> {
    let target = target()?;
    let made = target.join("package");
    for old in crates(&made) {
        fs::remove_file(&old).map_err(|e| format!("cannot remove {}: {e}", old.display()))?;
    }
    // Offline: the packages need each other, and no registry has them yet. What they need beside is here since the build.
    let all = ["package", "--quiet", "--workspace", "--exclude", "xtask", "--no-verify", "--allow-dirty", "--offline"];
    run(cargo().args(all).arg("--target-dir").arg(&target).current_dir(root))?;
    let place = made.join("unpacked");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).map_err(|e| format!("cannot create {}: {e}", place.display()))?;
    let mut names = Vec::new();
    for file in crates(&made) {
        run(Command::new("tar").arg("-xzf").arg(&file).current_dir(&place))?;
        names.push(file.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    }
    let ours = fs::read_to_string(root.join("Cargo.toml")).map_err(|e| format!("cannot read Cargo.toml: {e}"))?;
    let write = |name: &str, text: &str| fs::write(place.join(name), text).map_err(|e| format!("cannot write {name}: {e}"));
    write("Cargo.toml", &workspace(&names, &ours)?)?;
    fs::copy(root.join("Cargo.lock"), place.join("Cargo.lock")).map_err(|e| format!("cannot copy Cargo.lock: {e}"))?;
    // With the examples, whose dependencies are those of tests: so features are those of the tests' build, and nothing is built again.
    let at = |args: &[&str]| run(cargo().args(args).arg("--target-dir").arg(&target).current_dir(&place));
    at(&["build", "--quiet", "--offline", "--workspace", "--lib", "--bins", "--examples"])?;
    at(&["test", "--quiet", "--offline", "--workspace", "--doc"])?;
    Ok(format!("{} build by themselves and pass their doctests", names.join(", ")))
}

/// The workspace of the unpacked packages: they take each other, and the profile is ours.
fn workspace(names: &[String], ours: &str) -> Result<String, String> {
    let profile = ours.find("[profile.").map(|at| &ours[at..]).ok_or("Cargo.toml has no profile")?;
    let (mut members, mut patches) = (String::new(), String::new());
    for name in names {
        let bare = name.rsplit_once('-').ok_or(format!("{name} has no version"))?.0;
        members += &format!("\"{name}\", ");
        patches += &format!("{bare} = {{ path = \"{name}\" }}\n");
    }
    Ok(format!("[workspace]\nmembers = [{members}]\nresolver = \"3\"\n\n[patch.crates-io]\n{patches}\n{profile}"))
}

/// The packages in a folder, in the order of their names.
fn crates(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|f| f.path());
    let mut all: Vec<PathBuf> = files.filter(|f| f.extension().is_some_and(|e| e == "crate")).collect();
    all.sort();
    all
}

/// Where cargo puts what it builds: this program lies in its folder of the profile.
fn target() -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| format!("this program does not know itself: {e}"))?;
    me.parent().and_then(Path::parent).map(Path::to_path_buf).ok_or("this program is in no folder of cargo's".into())
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("failed: {shown}")),
        Err(e) => Err(format!("does not start: {shown}: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacked_packages_take_each_other() {
        let names = ["ridgepole-0.1.0", "ridgepole-cli-0.1.0"].map(String::from);
        let text = workspace(&names, "[package]\nname = \"x\"\n\n[profile.dev]\nopt-level = 1\n").expect("good");
        let want = "[workspace]\nmembers = [\"ridgepole-0.1.0\", \"ridgepole-cli-0.1.0\", ]\nresolver = \"3\"\n\n[patch.crates-io]\n\
                    ridgepole = { path = \"ridgepole-0.1.0\" }\nridgepole-cli = { path = \"ridgepole-cli-0.1.0\" }\n\n\
                    [profile.dev]\nopt-level = 1\n";
        assert_eq!(text, want);
        assert!(workspace(&names, "").is_err());
    }
}
