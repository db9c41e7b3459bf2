// Sums of four neighbouring columns over a run of rows, for lib/rows/rows_backward: those of dy first, those of dy * xhat from entry
// `weights` on, as far as they are wanted. Buffer: partials.
const COLUMNS: bool = true;
override DBIAS: bool = true;
override DWEIGHT: bool = true;

// To entry `at`, on top of what it holds where there was some of the run before.
fn leave(at: u32, more: bool, bias: vec4<f32>, weight: vec4<f32>) {
    if DBIAS {
        var all = bias;
        if more { all += partials[at]; }
        partials[at] = all;
    }
    if DWEIGHT {
        var all = weight;
        if more { all += partials[params.weights + at]; }
        partials[params.weights + at] = all;
    }
}
