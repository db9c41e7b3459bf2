//! The library with a part of its features: each family alone, with and without what proves it, and on one back end.
use crate::stages::cargo;
use std::{fs, path::Path, time::Instant};

/// The families, as the manifest lists them: what its feature `families` turns on.
pub fn families(manifest: &str) -> Result<Vec<String>, String> {
    let list = manifest.split_once("\nfamilies = [").and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.ok_or("Cargo.toml has no feature `families`")?;
    let names: Vec<String> = list.split('"').skip(1).step_by(2).map(String::from).collect();
    if names.is_empty() { Err("the feature `families` is empty".into()) } else { Ok(names) }
}

/// Compiles the library with each set of features that a user may well choose, and no warning.
pub fn alone(root: &Path) -> Result<String, String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).map_err(|e| format!("cannot read Cargo.toml: {e}"))?;
    let families = families(&manifest)?;
    let mut sets = vec![String::new(), "families".into(), "verify".into()];
    sets.extend(families.iter().flat_map(|family| [family.clone(), format!("{family},verify")]));
    // What is there with a device and without proofs, and one family on one back end.
    sets.extend(["families,wgpu-30".into(), format!("{},vulkan", families[0])]);
    let (start, mut wrong) = (Instant::now(), Vec::new());
    for features in &sets {
        // `rustc` with the profile `check` is `cargo check` with words to the compiler about this crate alone.
        let fixed =
            ["rustc", "--quiet", "--locked", "--package", "ridgepole", "--lib", "--profile", "check", "--no-default-features"];
        let status = cargo().args(fixed).args(["--features", features, "--", "-D", "warnings"]).current_dir(root).status();
        if !status.map_err(|e| format!("cargo does not start: {e}"))?.success() {
            wrong.push(format!("--no-default-features --features {features:?}"));
        }
    }
    match &wrong[..] {
        [] => Ok(format!("{} sets of features, {:.0} s", sets.len(), start.elapsed().as_secs_f64())),
        wrong => Err(format!("the library fails with {}", wrong.join("; with "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_those_of_the_manifest() {
        let text = "[features]\ndefault = [\"families\"]\nfamilies = [\n    \"norms\", \"losses\",\n]\nnorms = []\n";
        assert_eq!(families(text), Ok(vec!["norms".to_string(), "losses".to_string()]));
        assert!(families("[features]\nfamilies = []\n").is_err() && families("[features]\n").is_err());
    }
}
