//! Augmentation: shapes, keys, shares, partners, boxes.
use crate::{op, refused};
use ridgepole::{Cut, DType, Erasing, Holes, Key, Lambda, Op, Partners, Rect, Space, ops::*};

fn space() -> Space {
    Space::channels_first(3, 2, 12)
}

fn mixup() -> Mixup {
    Mixup::new(DType::F32, space(), 0.2, Key::default())
}

fn cutmix() -> CutMix {
    CutMix::new(DType::F32, space(), 4, 1.0, Key::default())
}

fn cutout() -> Cutout {
    Cutout::new(DType::F32, space(), 4, 2, Key::default())
}

/// Each op with its backward, refused with the same words.
fn all(pairs: Vec<[Box<dyn Op>; 2]>, why: &str) {
    for it in pairs.into_iter().flatten() {
        let want = format!("{}: {why}", it.name());
        refused(&[(it, &want)]);
    }
}

fn with(change: impl Fn(&mut DType, &mut Space, &mut Key), why: &str) {
    let (mut a, mut b, mut c) = (mixup(), cutmix(), cutout());
    change(&mut a.dtype, &mut a.space, &mut a.key);
    change(&mut b.dtype, &mut b.space, &mut b.key);
    change(&mut c.dtype, &mut c.space, &mut c.key);
    all(vec![[op(a.backward()), op(a)], [op(b.backward()), op(b)], [op(c.backward()), op(c)]], why);
}

#[test]
fn batches() {
    with(|d, _, _| *d = DType::U32, "`dtype` is U32, must be f32, f16 or bf16");
    with(
        |_, s, _| *s = Space::channels_first((1 << 20) + 1, 1, 4),
        "`space` has 1048577 samples, must have at most 2^20: split it, with key.first_element for each part",
    );
    with(
        |_, s, _| *s = Space::channels_last(2, 1 << 10, 1 << 21),
        "`space` has 2147483648 elements in a sample, must have at most 2^30",
    );
    with(|_, s, _| s.n = usize::MAX, "`space` has 18446744073709551615 x 2 x 12 elements, must have at most 2^34 - 4: split it");
    with(|_, _, k| k.first_element = 25, "`key` has first_element 25, must be a multiple of 24, the elements of a sample");
    with(
        |_, _, k| k.first_element = 24 * ((1 << 48) + 1),
        "`key` has first_element 6755399441055768, that of sample 281474976710657: must be at most sample 2^48",
    );
    let bad = |width| {
        let (a, b) = (CutMix { width, ..cutmix() }, Cutout { width, ..cutout() });
        let why = format!("`width` is {width}, must divide the 12 positions of `space`: it is their columns, W of H·W");
        all(vec![[op(a.backward()), op(a)], [op(b.backward()), op(b)]], &why);
    };
    bad(5);
    bad(0);
    let why = "`classes` is 17179869184 for 3 samples, must make at most 2^34 - 4 labels";
    refused(&[
        (op(Mixup { classes: 1 << 34, ..mixup() }), &format!("mixup: {why}")),
        (op(CutMix { classes: 1 << 34, ..cutmix() }), &format!("cutmix: {why}")),
    ]);
}

#[test]
fn shares() {
    let bad = |lambda: Lambda, cut: Cut, why: &str| {
        let (a, b) = (Mixup { lambda, ..mixup() }, CutMix { cut, ..cutmix() });
        all(vec![[op(a.backward()), op(a)]], &format!("`lambda` {why}"));
        all(vec![[op(b.backward()), op(b)]], &format!("`cut` {why}"));
    };
    for (alpha, shown) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let why = format!("has alpha {shown}, must be above 0 and finite: Beta(alpha, alpha)");
        bad(Lambda::PerBatch(alpha), Cut::PerBatch(alpha), &why);
        bad(Lambda::PerSample(alpha), Cut::PerSample(alpha), &why);
    }
    for (v, shown) in [(1.5, "1.5"), (-0.5, "-0.5"), (f64::NAN, "NaN")] {
        let why = format!("gives [1] = {shown}, must be in 0..=1: the share of the sample itself");
        bad(Lambda::Given(vec![0.5, v, 0.5]), Cut::Lambda(vec![0.5, v, 0.5]), &why);
    }
    let why = "gives 2, must give 1 or 3, one for each sample of `space`";
    bad(Lambda::Given(vec![0.5; 2]), Cut::Lambda(vec![0.5; 2]), why);
}

#[test]
fn partners() {
    let bad = |given: Vec<usize>, why: &str| {
        let partners = Partners::Given(given);
        let (a, b) = (Mixup { partners: partners.clone(), ..mixup() }, CutMix { partners, ..cutmix() });
        all(vec![[op(a.backward()), op(a)], [op(b.backward()), op(b)]], &format!("`partners` {why}"));
    };
    bad(vec![0, 1], "gives 2, must give 3, one for each sample of `space`");
    bad(vec![0, 3, 1], "gives [1] = 3, must be below 3, the samples of `space`");
    bad(vec![2, 1, 2], "gives [2] = 2 a second time, must be a permutation");
}

#[test]
fn boxes() {
    let bad = |given: Vec<Rect>, why: &str| {
        let (a, b) = (CutMix { cut: Cut::Boxes(given.clone()), ..cutmix() }, Cutout { holes: Holes::Boxes(given), ..cutout() });
        all(vec![[op(a.backward()), op(a)]], &format!("`cut` {why}"));
        all(vec![[op(b.backward()), op(b)]], &format!("`holes` {why}"));
    };
    let one = Rect { top: 0, left: 0, height: 3, width: 4 };
    bad(vec![one; 2], "gives 2, must give 1 or 3, one for each sample of `space`");
    let out = "it leaves the image of 3 x 4";
    bad(vec![one, Rect { top: 1, ..one }], &format!("has the box [1] of 3 x 4 at row 1, column 0: {out}"));
    bad(vec![Rect { left: 3, width: 2, ..one }], &format!("has the box [0] of 3 x 2 at row 0, column 3: {out}"));
    let far = Rect { left: usize::MAX, ..one };
    bad(vec![far], &format!("has the box [0] of 3 x 4 at row 0, column {}: {out}", usize::MAX));
}

#[test]
fn holes() {
    let bad = |holes: Holes, why: &str| {
        let it = Cutout { holes, ..cutout() };
        all(vec![[op(it.backward()), op(it)]], &format!("`holes` {why}"));
    };
    bad(Holes::Square((1 << 32) + 2), "has a square of side 4294967298, must be at most 2^32");
    let usual = Erasing::default();
    let erasing = |what, why: &str| bad(Holes::Erasing(what), why);
    erasing(Erasing { p: 1.5, ..usual }, "has p = 1.5, must be in 0..=1: the probability of erasing a sample's rectangle");
    let scale = "must be two shares of the area in 0..=1, the smaller first";
    erasing(Erasing { scale: [0.5, 0.25], ..usual }, &format!("has scale [0.5, 0.25], {scale}"));
    erasing(Erasing { scale: [0.5, 1.25], ..usual }, &format!("has scale [0.5, 1.25], {scale}"));
    erasing(Erasing { scale: [f64::NAN, 0.5], ..usual }, &format!("has scale [NaN, 0.5], {scale}"));
    let ratio = "must be two ratios of height to width above 0, the smaller first";
    erasing(Erasing { ratio: [0.0, 1.0], ..usual }, &format!("has ratio [0.0, 1.0], {ratio}"));
    erasing(Erasing { ratio: [3.0, 1.0], ..usual }, &format!("has ratio [3.0, 1.0], {ratio}"));
    refused(&[
        (op(Cutout { value: f64::NAN, ..cutout() }), "cutout: `value` is NaN, must be finite as F32"),
        (op(Cutout { value: 1e5, dtype: DType::F16, ..cutout() }), "cutout: `value` is 100000, must be finite as F16"),
        // The nearest half is 65504, but f32 makes 65520 of it, and a half infinity of that.
        (op(Cutout { value: 65519.9999, dtype: DType::F16, ..cutout() }), "cutout: `value` is 65519.9999, must be finite as F16"),
    ]);
}
