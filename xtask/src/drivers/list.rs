//! The drivers: where each comes from, and what makes a program take it and no other.
use crate::{
    apt::{self, Wanted},
    mesa::icd,
};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A driver that can be had below `target`.
pub struct Driver {
    /// What `--only` and the table call it.
    pub name: &'static str,
    /// Its folder; drivers of the same packages share one.
    folder: &'static str,
    wanted: Wanted<'static>,
    /// The package that has its version.
    package: &'static str,
    kind: Kind,
}

enum Kind {
    /// Vulkan's loader gets a manifest of this library.
    Vulkan(&'static str),
    /// OpenGL by way of EGL, without a display.
    Gl,
}

const NEWEST: Wanted = Wanted {
    suites: &["testing"],
    whole: &["mesa-vulkan-drivers", "libvulkan1", "libegl1", "libegl-mesa0", "libgl1-mesa-dri"],
    alone: &[],
};

/// In the order in which they run: what fails soonest comes first.
pub static DRIVERS: [Driver; 5] = [
    Driver {
        name: "swiftshader",
        folder: "swiftshader",
        // The driver is Chromium's; the browser itself, in the package `chromium`, is not needed.
        wanted: Wanted {
            suites: &["bookworm-security", "bookworm"],
            whole: &["libvulkan1", "libgcc-s1"],
            alone: &["chromium-common"],
        },
        package: "chromium-common",
        kind: Kind::Vulkan("libvk_swiftshader.so"),
    },
    Driver { name: "gl", folder: "newest", wanted: NEWEST, package: "libgl1-mesa-dri", kind: Kind::Gl },
    Driver {
        name: "lavapipe-newest",
        folder: "newest",
        wanted: NEWEST,
        package: "mesa-vulkan-drivers",
        kind: Kind::Vulkan("libvulkan_lvp.so"),
    },
    Driver {
        name: "lavapipe-25",
        folder: "lavapipe-25",
        wanted: Wanted { suites: &["bookworm-backports", "bookworm"], whole: &["mesa-vulkan-drivers", "libvulkan1"], alone: &[] },
        package: "mesa-vulkan-drivers",
        kind: Kind::Vulkan("libvulkan_lvp.so"),
    },
    Driver {
        name: "lavapipe-22",
        folder: "lavapipe-22",
        wanted: Wanted { suites: &["bookworm"], whole: &["mesa-vulkan-drivers", "libvulkan1"], alone: &[] },
        package: "mesa-vulkan-drivers",
        kind: Kind::Vulkan("libvulkan_lvp.so"),
    },
];

/// A driver that is there, and how a program gets it.
pub struct Ready {
    /// The package's version.
    pub version: String,
    loader: PathBuf,
    libraries: OsString,
    vars: Vec<(&'static str, OsString)>,
    /// What the adapter's line must contain: otherwise another driver was taken.
    pub shows: Vec<String>,
}

impl Driver {
    /// Unpacks the driver below `base`, unless it is there.
    pub fn fetch(&self, base: &Path) -> Result<Ready, String> {
        let dir = base.join(self.folder);
        let versions = apt::unpacked(&dir, &self.wanted)?;
        let version = versions.into_iter().find(|(name, _)| name == self.package).map(|(_, version)| version);
        let version = version.ok_or_else(|| format!("{} was not among what apt brought", self.package))?;
        let root = dir.join("root");
        let folders = library_folders(&root);
        let loader = folders.iter().find_map(|f| dynamic_loader(f));
        let loader = loader
            .ok_or_else(|| format!("there is no ld-linux in {}; remove {} and try again", root.display(), dir.display()))?;
        let libraries = std::env::join_paths(&folders).map_err(|e| format!("{}: {e}", root.display()))?;
        let (vars, shows) = match self.kind {
            Kind::Vulkan(library) => {
                let found = children(&root.join("usr/lib")).into_iter().map(|d| d.join(library)).find(|p| p.exists());
                let found = found.ok_or_else(|| {
                    format!("there is no {library} in {}; remove {} and try again", root.display(), dir.display())
                })?;
                let manifest = dir.join(format!("{}.json", self.name));
                apt::write(&manifest, &icd(&found))?;
                // Older loaders know the second name only.
                let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].map(|name| (name, manifest.clone().into_os_string()));
                let mut vars = vec![("WGPU_BACKEND", "vulkan".into()), ("VK_LOADER_LAYERS_DISABLE", "~implicit~".into())];
                vars.extend(named);
                (vars, vec!["(Vulkan,".to_string()])
            }
            Kind::Gl => {
                let vendor = root.join("usr/share/glvnd/egl_vendor.d/50_mesa.json");
                let dri = folders.iter().map(|f| f.join("dri")).find(|d| d.is_dir()).unwrap_or_default();
                let vars = vec![
                    ("WGPU_BACKEND", "gl".into()),
                    ("EGL_PLATFORM", "surfaceless".into()),
                    ("LIBGL_ALWAYS_SOFTWARE", "true".into()),
                    ("__EGL_VENDOR_LIBRARY_FILENAMES", vendor.into_os_string()),
                    ("LIBGL_DRIVERS_PATH", dri.into_os_string()),
                ];
                (vars, vec!["(Gl,".to_string()])
            }
        };
        let mut ready = Ready { version, loader, libraries, vars, shows };
        ready.shows.push(match self.package {
            "chromium-common" => "SwiftShader".to_string(),
            _ => format!("Mesa {}", upstream(&ready.version)),
        });
        // What Mesa compiled stays from run to run, below `target` as well.
        ready.vars.push(("MESA_SHADER_CACHE_DIR", dir.join("shaders").into_os_string()));
        Ok(ready)
    }
}

impl Ready {
    /// `program` on this driver. Nothing of the system's is in it but the kernel: the C library and the program that loads libraries
    /// are the driver's, for a new driver wants a newer C library than an old system has.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.loader);
        command.arg("--library-path").arg(&self.libraries).arg(program);
        let chooses = ["VK_", "WGPU_", "MESA_", "LP_", "GALLIUM_", "LIBGL_", "EGL_", "__EGL_", "LD_"];
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|n| chooses.iter().any(|start| n.starts_with(start))) {
                command.env_remove(name);
            }
        }
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The upstream part of a package's version: `25.0.7` of `25.0.7-2~bpo12+1`.
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, v)| v);
    version.split_once('-').map_or(version, |(v, _)| v)
}

/// The folders of libraries, which have the name of the processor.
fn library_folders(root: &Path) -> Vec<PathBuf> {
    let all = ["usr/lib", "lib"].into_iter().flat_map(|part| children(&root.join(part)));
    all.filter(|p| p.is_dir() && p.to_string_lossy().ends_with("-linux-gnu")).collect()
}

/// The program that loads a program's libraries. Only a file counts: a link in `lib64` leads to the system's own.
fn dynamic_loader(folder: &Path) -> Option<PathBuf> {
    let loads = |p: &PathBuf| {
        let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("ld-linux") && fs::symlink_metadata(p).is_ok_and(|m| m.is_file())
    };
    children(folder).into_iter().find(loads)
}

fn children(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_word_and_distinct_and_folders_have_one_content() {
        for (i, a) in DRIVERS.iter().enumerate() {
            assert!(a.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{}", a.name);
            for b in &DRIVERS[..i] {
                assert_ne!(a.name, b.name);
                let same = (a.wanted.suites, a.wanted.whole, a.wanted.alone) == (b.wanted.suites, b.wanted.whole, b.wanted.alone);
                assert_eq!(a.folder == b.folder, same, "{} and {}", a.name, b.name);
            }
            let packages = [a.wanted.whole, a.wanted.alone].concat();
            assert!(packages.contains(&a.package), "{} names its version's package", a.name);
        }
    }

    #[test]
    fn the_upstream_version_is_what_a_driver_says() {
        for (of, want) in
            [("25.0.7-2~bpo12+1", "25.0.7"), ("22.3.6-1+deb12u2", "22.3.6"), ("1:26.2.6-1", "26.2.6"), ("26.1", "26.1")]
        {
            assert_eq!(upstream(of), want);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_loader_is_a_file_of_the_drivers_own() {
        let root = std::env::temp_dir().join(format!("ridgepole-xtask-list-{}", std::process::id()));
        let (old, new) = (root.join("lib/x86_64-linux-gnu"), root.join("usr/lib/x86_64-linux-gnu"));
        for dir in [&old, &new, &root.join("usr/lib/chromium")] {
            apt::make(dir).unwrap();
        }
        std::os::unix::fs::symlink("/lib64/ld-linux-x86-64.so.2", new.join("ld-linux-x86-64.so.2")).unwrap();
        apt::write(&old.join("ld-linux-x86-64.so.2"), "").unwrap();
        let folders = library_folders(&root);
        let loader = folders.iter().find_map(|f| dynamic_loader(f));
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(folders, [new, old.clone()]);
        assert_eq!(loader, Some(old.join("ld-linux-x86-64.so.2")));
    }
}
