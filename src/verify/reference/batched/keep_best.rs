/// What is kept of a model with this status: a copy of what is there if it improved just now (1), else what was kept before.
pub fn keep_best<'a>(status: f64, here: &'a [u32], best: &'a [u32]) -> &'a [u32] {
    if status == 1.0 { here } else { best }
}
