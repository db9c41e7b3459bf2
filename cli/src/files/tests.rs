use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

#[test]
fn a_page_that_cannot_be_drawn_does_not_cost_the_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let json = serde_json::json!({ "best": 0.5 });
    let why = report(dir.path(), ("x.json", &json), ("x.html", || panic!("planted")), &[]).unwrap_err().to_string();
    assert!(why.starts_with("x.html could not be drawn") && why.contains("x.json"), "{why}");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&fs::read(dir.path().join("x.json")).unwrap()).unwrap(), json);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let more = [("x.bin", vec![7])];
    report(dir.path(), ("x.json", &json), ("x.html", || "page".to_string()), &more).unwrap();
    assert_eq!(fs::read(dir.path().join("x.html")).unwrap(), b"page");
    assert_eq!(fs::read(dir.path().join("x.bin")).unwrap(), [7]);
}

#[test]
fn all_files_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    let held = folder(&path, "tune").unwrap();
    all(&path, &[("one", b"1"), ("two", b"2")]).unwrap();
    assert_eq!(fs::read(path.join("two")).unwrap(), b"2");
    // The second cannot be written: the first stays as it was.
    let why = all(&path, &[("one", b"3"), ("no/such", b"4")]).unwrap_err().to_string();
    assert!(why.starts_with("cannot write ") && why.contains("no/such"), "{why}");
    assert_eq!(fs::read(path.join("one")).unwrap(), b"1");
    drop(held);
    assert_eq!(names(&path), ["one", "two"], "something unfinished was left");
    assert!(folder(&path.join("one"), "tune").unwrap_err().to_string().starts_with("cannot create "));
}

/// The second file finds a folder in its place, that came after every place was looked at.
#[test]
fn a_rename_that_fails_puts_the_files_before_it_back() {
    for there in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let [one, two, three] = ["one", "two", "three"].map(|n| dir.path().join(n));
        if there {
            fs::write(&one, "old").unwrap();
        }
        let mut renames = 0;
        let mut rename = |from: &Path, to: &Path| {
            renames += 1;
            if renames == 2 {
                assert_eq!(fs::read(&one).unwrap(), b"1", "the first has its place by now");
                fs::create_dir_all(to.join("something"))?;
            }
            fs::rename(from, to)
        };
        let files = [(one.clone(), &b"1"[..]), (two.clone(), b"2"), (three, b"3")];
        let why = place_all(&files, &mut rename).unwrap_err().to_string();
        assert!(why.starts_with(&format!("cannot write {}", two.display())), "{why}");
        if there {
            assert_eq!((fs::read(&one).unwrap(), names(dir.path())), (b"old".to_vec(), vec!["one".into(), "two".into()]));
        } else {
            assert_eq!(names(dir.path()), ["two"], "the first is gone again, and nothing unfinished is left");
        }
        assert_eq!(names(&two), ["something"]);
    }
}

#[test]
fn every_place_is_looked_at_before_anything_is_renamed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("one"), "old").unwrap();
    fs::create_dir(dir.path().join("two")).unwrap();
    let why = all(dir.path(), &[("one", b"1"), ("two", b"2")]).unwrap_err().to_string();
    assert!(why.ends_with("two: it is a directory"), "{why}");
    assert_eq!((fs::read(dir.path().join("one")).unwrap(), names(dir.path()).len()), (b"old".to_vec(), 2));
    let why = all(dir.path(), &[("one", b"1"), ("./one", b"2")]).unwrap_err().to_string();
    assert!(why.contains("is the same file"), "{why}");
}

#[test]
fn names_as_long_as_they_may_be_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let name = "λ".repeat(127);
    all(dir.path(), &[(&name, b"1")]).unwrap();
    all(dir.path(), &[(&name, b"2")]).unwrap();
    assert_eq!(fs::read(dir.path().join(&name)).unwrap(), b"2");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_keeps_its_mode_and_a_new_one_has_that_of_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let [path, usual, fresh] = ["f", "usual", "new"].map(|n| dir.path().join(n));
        fs::write(&usual, "").unwrap();
        write(&fresh, b"1").unwrap();
        assert_eq!(mode(&fresh), mode(&usual));
        for bits in [0o600, 0o644, 0o640, 0o666, 0o755, 0o2750, 0o4755, 0o400] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            write(&path, b"1").unwrap();
            assert_eq!(mode(&path), bits, "{bits:o}");
            all(dir.path(), &[("f", b"2"), ("g", b"2")]).unwrap();
            assert_eq!((mode(&path), mode(&dir.path().join("g"))), (bits, mode(&usual)), "{bits:o}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_link_is_followed_to_its_end_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let at = |n: &str| dir.path().join(n);
        fs::create_dir(at("there")).unwrap();
        symlink("there/real", at("second")).unwrap();
        symlink(at("second"), at("first")).unwrap();
        // At first it dangles; then it has a file to replace.
        for bytes in [b"1", b"2"] {
            write(&at("first"), bytes).unwrap();
            assert_eq!(fs::read(at("there/real")).unwrap(), bytes);
            all(dir.path(), &[("first", bytes), ("other", bytes)]).unwrap();
            assert!(
                fs::symlink_metadata(at("first")).unwrap().is_symlink()
                    && fs::symlink_metadata(at("second")).unwrap().is_symlink()
            );
        }
        assert_eq!(names(&at("there")), ["real"]);
        remove(&at("first")).unwrap();
        assert!(names(&at("there")).is_empty() && fs::symlink_metadata(at("first")).unwrap().is_symlink());
        remove(&at("first")).unwrap();
        // Two names of one file are no two files.
        let why = all(dir.path(), &[("first", b"1"), ("second", b"2")]).unwrap_err().to_string();
        assert!(why.contains("is the same file"), "{why}");
        // A circle, of one and of two.
        symlink("loop", at("loop")).unwrap();
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        for name in ["loop", "a"] {
            let why = [write(&at(name), b"1"), all(dir.path(), &[(name, b"1")]), folder(&at(name), "x").map(drop)];
            assert!(why.iter().all(|w| w.as_ref().unwrap_err().to_string().contains("in a circle")), "{why:?}");
        }
        // A folder's link, which dangles at first.
        symlink("made", at("out")).unwrap();
        drop(folder(&at("out"), "x").unwrap());
        drop(folder(&at("out"), "x").unwrap());
        assert!(at("made").is_dir());
    }

    #[test]
    fn no_name_of_an_unfinished_file_can_be_prepared() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "kept").unwrap();
        // As the names were once: of the process.
        let out = dir.path().join("out");
        fs::create_dir(&out).unwrap();
        for name in ["f", "g", "writable"] {
            symlink(&victim, out.join(format!(".{name}.{}", std::process::id()))).unwrap();
        }
        drop(folder(&out, "x").unwrap());
        write(&out.join("f"), b"1").unwrap();
        all(&out, &[("f", b"1"), ("g", b"2")]).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"kept");
        assert_eq!(names(&out).len(), 5);
    }

    #[test]
    fn what_is_no_file_is_written_into() {
        let dir = tempfile::tempdir().unwrap();
        write(Path::new("/dev/null"), b"1").unwrap();
        symlink("/dev/null", dir.path().join("page")).unwrap();
        all(dir.path(), &[("page", b"1"), ("numbers", b"2")]).unwrap();
        assert!(fs::symlink_metadata(dir.path().join("page")).unwrap().is_symlink());
        assert_eq!(fs::read(dir.path().join("numbers")).unwrap(), b"2");
        // A device that is full takes nothing, and then there are no numbers either.
        if Path::new("/dev/full").exists() {
            symlink("/dev/full", dir.path().join("full")).unwrap();
            let why = all(dir.path(), &[("numbers", b"3"), ("full", b"1"), ("more", b"4")]).unwrap_err().to_string();
            assert!(why.contains("full"), "{why}");
            assert_eq!((fs::read(dir.path().join("numbers")).unwrap(), names(dir.path()).len()), (b"2".to_vec(), 3));
        }
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(!fs::symlink_metadata(&pipe).unwrap().is_file());
    }

    #[test]
    fn another_name_of_a_file_keeps_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|n| dir.path().join(n));
        fs::write(&a, "old").unwrap();
        fs::hard_link(&a, &b).unwrap();
        write(&a, b"new").unwrap();
        assert_eq!(
            (fs::read(&a).unwrap(), fs::read(&b).unwrap(), fs::metadata(&a).unwrap().nlink()),
            (b"new".to_vec(), b"old".to_vec(), 1)
        );
    }
}
