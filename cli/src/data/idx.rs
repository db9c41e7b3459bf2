//! Reads the IDX files of MNIST: images of bytes, labels of bytes, sizes big-endian.
use super::{Cells, Table, Targets, read as read_file};
use crate::Failure;
use std::path::{Path, PathBuf};

/// Training and test part in one table; the test part comes last.
pub fn read(folder: &Path) -> Result<Table, Failure> {
    let (mut cells, mut of, mut size) = (Vec::new(), Vec::new(), None);
    let mut test_from = 0;
    for part in ["train", "t10k"] {
        test_from = of.len();
        let (path, bytes) = open(folder, &format!("{part}-images-idx3-ubyte"))?;
        let [count, rows, columns] = header(&path, &bytes, 0x0803)?;
        let pixels = body(&path, &bytes, 16, count, rows.saturating_mul(columns))?;
        if rows * columns == 0 || count == 0 {
            return Err(Failure::file("use", &path, format!("{count} images of {rows}×{columns} pixels")));
        }
        if *size.get_or_insert((rows, columns)) != (rows, columns) {
            return Err(Failure::file("use", &path, format!("its images are {rows}×{columns}, the training images are not")));
        }
        cells.extend_from_slice(pixels);
        let (path, bytes) = open(folder, &format!("{part}-labels-idx1-ubyte"))?;
        let [labels] = header(&path, &bytes, 0x0801)?;
        if labels != count {
            return Err(Failure::file("use", &path, format!("{labels} labels for {count} images")));
        }
        of.extend(body(&path, &bytes, 8, labels, 1)?.iter().map(|&l| u32::from(l)));
    }
    let (rows, columns) = size.expect("set by the first part");
    let classes = of.iter().max().map_or(0, |&c| c as usize + 1);
    if !(2..=160).contains(&classes) {
        return Err(Failure::usage(format!("{}: {classes} classes, must be 2 to 160", folder.display())));
    }
    Ok(Table {
        label: "label".into(),
        name: folder.file_name().map_or_else(|| "MNIST".into(), |n| n.to_string_lossy().into_owned()),
        columns: (0..rows).flat_map(|r| (0..columns).map(move |c| format!("p{r}_{c}"))).collect(),
        cells: Cells::Bytes(cells),
        targets: Targets::Classes { names: (0..classes).map(|c| c.to_string()).collect(), of },
        image: true,
        test_from: Some(test_from),
        notices: Vec::new(),
    })
}

fn open(folder: &Path, name: &str) -> Result<(PathBuf, Vec<u8>), Failure> {
    let candidates = [name.to_string(), format!("{name}.gz"), name.replace("-idx", ".idx")].map(|n| folder.join(n));
    match candidates.iter().find(|p| p.is_file()) {
        Some(path) => Ok((path.clone(), read_file(path)?)),
        None => Err(Failure::usage(format!("{}: has neither {name} nor {name}.gz", folder.display()))),
    }
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

fn body<'a>(path: &Path, bytes: &'a [u8], at: usize, count: usize, each: usize) -> Result<&'a [u8], Failure> {
    let (want, have) = (count.saturating_mul(each), bytes.len() - at);
    if have != want {
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

    fn good(dir: &Path) {
        write(dir, "train-images-idx3-ubyte", 0x803, &[3, 1, 2], &[0, 1, 2, 3, 4, 255]);
        write(dir, "train-labels-idx1-ubyte", 0x801, &[3], &[0, 1, 2]);
        write(dir, "t10k-images-idx3-ubyte", 0x803, &[1, 1, 2], &[9, 8]);
        write(dir, "t10k-labels-idx1-ubyte", 0x801, &[1], &[1]);
    }

    #[test]
    fn the_test_part_of_the_files_comes_last() {
        let dir = tempfile::tempdir().unwrap();
        good(dir.path());
        let t = read(dir.path()).unwrap();
        assert_eq!((t.rows(), t.columns.len(), t.test_from), (4, 2, Some(3)));
        assert_eq!(t.row(2).chain(t.row(3)).collect::<Vec<_>>(), [4.0, 255.0, 9.0, 8.0]);
        let names = ["0", "1", "2"].map(String::from).to_vec();
        assert_eq!(t.targets, Targets::Classes { names, of: vec![0, 1, 2, 1] });
    }

    #[test]
    fn errors_say_what_is_wrong_with_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let why = || read(dir.path()).unwrap_err().to_string();
        assert!(why().contains("has neither train-images-idx3-ubyte nor"), "{}", why());
        good(dir.path());
        write(dir.path(), "train-images-idx3-ubyte", 0x803, &[3, 1, 2], &[0, 1]);
        assert!(why().ends_with("its header promises 6 bytes, 2 follow"), "{}", why());
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
