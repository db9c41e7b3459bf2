//! Reads the IDX files of MNIST and of data sets like it: images of bytes, labels of bytes, sizes big-endian.
use super::{Cells, Format, Table, Targets, listed};
use crate::{Failure, input};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Classes that a network's loss takes, at most.
const MOST_CLASSES: usize = 160;

/// Training and test part in one table; the test part comes last.
pub fn read(path: &Path, format: &Format) -> Result<Table, Failure> {
    let (mut cells, mut labels, mut size) = (Vec::new(), Vec::new(), None);
    let mut test_from = 0;
    let files = Files::find(path)?;
    for part in [Part::Training, Part::Test] {
        test_from = labels.len();
        let (path, bytes) = files.open(part, Kind::Images, format)?;
        let [count, rows, columns] = header(&path, &bytes, 0x0803)?;
        let pixels = body(&path, &bytes, 16, &[count, rows, columns])?;
        if pixels.is_empty() {
            return Err(Failure::file("use", &path, format!("{count} images of {rows}×{columns} pixels")));
        }
        if *size.get_or_insert((rows, columns)) != (rows, columns) {
            return Err(Failure::file("use", &path, format!("its images are {rows}×{columns}, the training images are not")));
        }
        cells.try_reserve(pixels.len()).map_err(|e| Failure::file("use", &path, e))?;
        cells.extend_from_slice(pixels);
        let (path, bytes) = files.open(part, Kind::Labels, format)?;
        let [n] = header(&path, &bytes, 0x0801)?;
        if n != count {
            return Err(Failure::file("use", &path, format!("{n} labels for {count} images")));
        }
        labels.extend_from_slice(body(&path, &bytes, 8, &[n])?);
    }
    let (rows, columns) = size.expect("set by the first part");
    // Those that occur: sets begin at 1, or have gaps.
    let classes: Vec<u8> = labels.iter().copied().collect::<BTreeSet<u8>>().into_iter().collect();
    if !(2..=MOST_CLASSES).contains(&classes.len()) {
        return Err(Failure::usage(format!("{}: {} classes, must be 2 to {MOST_CLASSES}", path.display(), classes.len())));
    }
    let mut place = [0; 256];
    classes.iter().enumerate().for_each(|(at, label)| place[usize::from(*label)] = at as u32);
    let trained: BTreeSet<u8> = labels[..test_from].iter().copied().collect();
    let unseen: Vec<String> = classes.iter().filter(|c| !trained.contains(c)).map(u8::to_string).collect();
    let notices = match unseen.len() {
        0 => Vec::new(),
        n => {
            let (what, occur) = if n == 1 { ("label", "occurs") } else { ("labels", "occur") };
            vec![format!(
                "notice: {what} {} {occur} in the test part only: no network can learn what it looks like",
                listed(&unseen)
            )]
        }
    };
    Ok(Table {
        image: true,
        test_from: Some(test_from),
        notices,
        ..Table::new(
            path.file_name().map_or_else(|| "MNIST".into(), |n| n.to_string_lossy().into_owned()),
            "label",
            (0..rows).flat_map(|r| (0..columns).map(move |c| format!("p{r}_{c}"))).collect(),
            Cells::Bytes(cells),
            Targets::Classes {
                names: classes.iter().map(u8::to_string).collect(),
                of: labels.iter().map(|&label| place[usize::from(label)]).collect(),
            },
        )
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Training,
    Test,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Images,
    Labels,
}

/// The files of a set in a folder.
struct Files {
    folder: PathBuf,
    /// What their names begin with: nothing, or the set's name.
    set: String,
    all: Vec<(Part, Kind, PathBuf)>,
}

impl Files {
    /// Of the only set in the folder, or of the one whose name the path adds to it.
    fn find(path: &Path) -> Result<Self, Failure> {
        let failed = |e: std::io::Error| Failure::file("read", path, e);
        let (folder, wanted) = match (path.is_dir(), path.parent(), path.file_name()) {
            (false, Some(parent), Some(set)) if !path.exists() => (parent, Some(set.to_string_lossy().into_owned())),
            _ => (path, None),
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // Without its folder, the error is about the path as it was given.
        let mut names: Vec<_> =
            std::fs::read_dir(folder).map_err(failed)?.map(|e| Ok(e?.file_name())).collect::<Result<_, _>>().map_err(failed)?;
        // Names that are alike but for .gz: the plain one comes first.
        names.sort();
        let mut sets = BTreeSet::new();
        let mut all = Vec::new();
        for name in names {
            let Some((set, part, kind)) = name.to_str().and_then(parts) else { continue };
            let mut file = folder.join(&name);
            if file.is_dir() {
                // As Kaggle unpacks them: a folder of the file's name around it.
                file = file.join(&name);
            }
            if file.is_file() {
                sets.insert(set.to_string());
                all.push((set.to_string(), part, kind, file));
            }
        }
        let stem = |set: &str| set.trim_end_matches(['-', '_', '.']).to_string();
        let set = match (wanted, sets.len()) {
            (Some(wanted), _) => sets.iter().find(|set| stem(set) == stem(&wanted)).cloned(),
            (None, 0) => Some(String::new()),
            (None, 1) => sets.first().cloned(),
            // The set whose files have the plain names is that of the folder.
            (None, _) => sets.get("").cloned(),
        };
        let Some(set) = set else {
            let path = path.display();
            if sets.is_empty() {
                return Err(Failure::usage(format!("cannot read {path}: there is no such folder")));
            }
            let sets: Vec<String> = sets.iter().map(|set| stem(set)).collect();
            let folder = folder.display();
            return Err(Failure::usage(format!(
                "{path}: {folder} has the sets {}: name one, as in {folder}/{}",
                listed(&sets),
                sets.last().map_or("", String::as_str)
            )));
        };
        all.retain(|(of, ..)| *of == set);
        let all = all.into_iter().map(|(_, part, kind, file)| (part, kind, file)).collect();
        Ok(Self { folder: folder.into(), set, all })
    }

    fn open(&self, part: Part, kind: Kind, format: &Format) -> Result<(PathBuf, Vec<u8>), Failure> {
        if let Some((_, _, path)) = self.all.iter().find(|(p, k, _)| (*p, *k) == (part, kind)) {
            return Ok((path.clone(), input::read(path, format.limit(), Format::RAISE)?));
        }
        let part = match (part, self.set.is_empty()) {
            (Part::Training, _) => "train",
            (Part::Test, true) => "t10k",
            (Part::Test, false) => "test",
        };
        let kind = if kind == Kind::Images { "images-idx3" } else { "labels-idx1" };
        let name = format!("{}{part}-{kind}-ubyte", self.set);
        Err(Failure::usage(format!("{}: has neither {name} nor {name}.gz", self.folder.display())))
    }
}

/// The set, part and kind that a file's name says: `train-images-idx3-ubyte`, `emnist-letters-test-labels-idx1-ubyte.gz`,
/// `t10k-images.idx3-ubyte`.
fn parts(name: &str) -> Option<(&str, Part, Kind)> {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (name, kind) =
        [("images", "idx3", Kind::Images), ("labels", "idx1", Kind::Labels)].iter().find_map(|(word, idx, kind)| {
            let rest = name.strip_suffix("-ubyte").or_else(|| name.strip_suffix(".ubyte"))?.strip_suffix(idx)?;
            Some((rest.strip_suffix(['-', '.'])?.strip_suffix(word)?.strip_suffix('-')?, *kind))
        })?;
    let parts = [("train", Part::Training), ("t10k", Part::Test), ("test", Part::Test)];
    let (set, part) = parts.iter().find_map(|(word, part)| Some((name.strip_suffix(word)?, *part)))?;
    (set.is_empty() || set.ends_with(['-', '_', '.'])).then_some((set, part, kind))
}

/// The sizes after the magic number, which encodes the type (bytes) and the number of dimensions.
fn header<const N: usize>(path: &Path, bytes: &[u8], magic: u32) -> Result<[usize; N], Failure> {
    let word = |i: usize| bytes.get(4 * i..4 * i + 4).map(|b| u32::from_be_bytes(b.try_into().expect("four bytes")));
    match word(0) {
        Some(m) if m == magic => {}
        m => {
            let got = m.map_or_else(|| format!("{} bytes", bytes.len()), |m| format!("0x{m:08x}"));
            return Err(Failure::file("use", path, format!("not an IDX file: starts with {got}, must be 0x{magic:08x}")));
        }
    }
    let mut sizes = [0; N];
    for (i, size) in sizes.iter_mut().enumerate() {
        *size = word(i + 1).ok_or_else(|| Failure::file("use", path, "ends within its header"))? as usize;
    }
    Ok(sizes)
}

/// What follows the header, if it is as long as the sizes say.
fn body<'a>(path: &Path, bytes: &'a [u8], at: usize, sizes: &[usize]) -> Result<&'a [u8], Failure> {
    let have = bytes.len() - at;
    // Three sizes of 32 bits fit.
    let want: u128 = sizes.iter().map(|size| *size as u128).product();
    if have as u128 != want {
        return Err(Failure::file("use", path, format!("its header promises {want} bytes, {have} follow")));
    }
    Ok(&bytes[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, name: &str, magic: u32, sizes: &[u32], body: &[u8]) {
        let words = std::iter::once(&magic).chain(sizes).flat_map(|w| w.to_be_bytes());
        std::fs::write(dir.join(name), words.chain(body.iter().copied()).collect::<Vec<u8>>()).unwrap();
    }

    fn set(dir: &Path, [images, labels]: [&str; 2], of: &[u8]) {
        let pixels: Vec<u8> = (0..2 * of.len()).map(|i| i as u8).collect();
        write(dir, images, 0x803, &[of.len() as u32, 1, 2], &pixels);
        write(dir, labels, 0x801, &[of.len() as u32], of);
    }

    fn good(dir: &Path) {
        write(dir, "train-images-idx3-ubyte", 0x803, &[3, 1, 2], &[0, 1, 2, 3, 4, 255]);
        write(dir, "train-labels-idx1-ubyte", 0x801, &[3], &[0, 1, 2]);
        write(dir, "t10k-images-idx3-ubyte", 0x803, &[1, 1, 2], &[9, 8]);
        write(dir, "t10k-labels-idx1-ubyte", 0x801, &[1], &[1]);
    }

    fn mnist(path: &Path) -> Result<Table, Failure> {
        read(path, &Format::default())
    }

    #[test]
    fn the_test_part_of_the_files_comes_last() {
        let dir = tempfile::tempdir().unwrap();
        good(dir.path());
        let t = mnist(dir.path()).unwrap();
        assert_eq!((t.rows(), t.columns.len(), t.test_from), (4, 2, Some(3)));
        assert_eq!(t.row(2).chain(t.row(3)).collect::<Vec<_>>(), [4.0, 255.0, 9.0, 8.0]);
        let names = ["0", "1", "2"].map(String::from).to_vec();
        assert_eq!(t.targets, Targets::Classes { names, of: vec![0, 1, 2, 1] });
        assert!(t.notices.is_empty());
    }

    #[test]
    fn classes_are_the_labels_that_occur_in_either_part() {
        let dir = tempfile::tempdir().unwrap();
        set(dir.path(), ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"], &[5, 0, 255, 2]);
        set(dir.path(), ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"], &[2, 7]);
        let t = mnist(dir.path()).unwrap();
        let names = ["0", "2", "5", "7", "255"].map(String::from).to_vec();
        assert_eq!(t.targets, Targets::Classes { names, of: vec![2, 0, 4, 1, 1, 3] });
        assert_eq!(t.notices, ["notice: label \"7\" occurs in the test part only: no network can learn what it looks like"]);
        set(dir.path(), ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"], &[7, 7]);
        set(dir.path(), ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"], &[7]);
        assert!(mnist(dir.path()).unwrap_err().to_string().ends_with("1 classes, must be 2 to 160"));
    }

    #[test]
    fn files_are_found_by_the_names_that_people_have() {
        let of = |names: [&str; 4], path: &str| {
            let dir = tempfile::tempdir().unwrap();
            set(dir.path(), [names[0], names[1]], &[1, 2]);
            set(dir.path(), [names[2], names[3]], &[2]);
            mnist(&dir.path().join(path)).map(|t| t.rows()).map_err(|e| e.to_string())
        };
        let kaggle = ["train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"];
        assert_eq!(of(kaggle, ""), Ok(3));
        let letters = ["images-idx3", "labels-idx1"].map(|k| ["train", "test"].map(|p| format!("emnist-letters-{p}-{k}-ubyte")));
        let letters = [&letters[0][0], &letters[1][0], &letters[0][1], &letters[1][1]].map(String::as_str);
        assert_eq!(of(letters, ""), Ok(3));
        assert_eq!(of(letters, "emnist-letters"), Ok(3));
        assert_eq!(of(letters, "emnist-letters-"), Ok(3));
        let why = of(letters, "emnist-digits").unwrap_err();
        assert!(why.contains("has the sets \"emnist-letters\": name one, as in "), "{why}");
        assert!(of(letters, "no/such").unwrap_err().starts_with("cannot read "));

        let dir = tempfile::tempdir().unwrap();
        for name in ["emnist-balanced-", "emnist-letters-", "gzip/"] {
            let path = dir.path().join(format!("{name}train"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            for (part, labels) in [("train", &[1, 2][..]), ("test", &[3])] {
                let names = ["images-idx3", "labels-idx1"].map(|kind| format!("{name}{part}-{kind}-ubyte"));
                set(dir.path(), [&names[0], &names[1]], labels);
            }
        }
        let why = mnist(dir.path()).unwrap_err().to_string();
        assert!(why.contains("has the sets \"emnist-balanced\", \"emnist-letters\": name one, as in "), "{why}");
        assert_eq!(mnist(&dir.path().join("emnist-balanced")).unwrap().rows(), 3);
        // Compressed, and in a folder of the file's own name.
        let folder = dir.path().join("gzip");
        let labels = folder.join("test-labels-idx1-ubyte");
        let mut gz = flate2::write::GzEncoder::new(
            std::fs::File::create(folder.join("test-labels-idx1-ubyte.gz")).unwrap(),
            Default::default(),
        );
        std::io::Write::write_all(&mut gz, &std::fs::read(&labels).unwrap()).unwrap();
        gz.finish().unwrap();
        std::fs::remove_file(&labels).unwrap();
        let images = folder.join("train-images-idx3-ubyte");
        let bytes = std::fs::read(&images).unwrap();
        std::fs::remove_file(&images).unwrap();
        std::fs::create_dir(&images).unwrap();
        std::fs::write(images.join("train-images-idx3-ubyte"), bytes).unwrap();
        assert_eq!(mnist(&folder).unwrap().rows(), 3);
    }

    #[test]
    fn errors_say_what_is_wrong_with_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let why = || mnist(dir.path()).unwrap_err().to_string();
        assert!(why().contains("has neither train-images-idx3-ubyte nor"), "{}", why());
        good(dir.path());
        write(dir.path(), "train-images-idx3-ubyte", 0x803, &[3, 1, 2], &[0, 1]);
        assert!(why().ends_with("its header promises 6 bytes, 2 follow"), "{}", why());
        write(dir.path(), "train-images-idx3-ubyte", 0x803, &[u32::MAX; 3], &[0, 1]);
        assert!(why().ends_with("its header promises 79228162458924105385300197375 bytes, 2 follow"), "{}", why());
        write(dir.path(), "train-images-idx3-ubyte", 0x803, &[0, u32::MAX, u32::MAX], &[]);
        assert!(why().ends_with("0 images of 4294967295×4294967295 pixels"), "{}", why());
        write(dir.path(), "train-images-idx3-ubyte", 0x802, &[3, 1, 2], &[0, 1]);
        assert!(why().ends_with("not an IDX file: starts with 0x00000802, must be 0x00000803"), "{}", why());
        std::fs::write(dir.path().join("train-images-idx3-ubyte"), [0, 0, 8, 3, 0]).unwrap();
        assert!(why().ends_with("ends within its header"), "{}", why());
        good(dir.path());
        write(dir.path(), "t10k-labels-idx1-ubyte", 0x801, &[2], &[1, 1]);
        assert!(why().ends_with("2 labels for 1 images"), "{}", why());
        write(dir.path(), "t10k-images-idx3-ubyte", 0x803, &[1, 2, 1], &[9, 8]);
        assert!(why().ends_with("its images are 2×1, the training images are not"), "{}", why());
    }
}
