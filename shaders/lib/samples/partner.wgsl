// Where a place of sample `source` lies in the window of `other`, which begins within sample `other_sample` and reaches into
// `other_samples` of them; 2^32 - 1 if it does not. What lies before the window wraps to a number beyond its end.
fn partner_place(source: u32, place: u32) -> u32 {
    let sample = source - params.other_sample;
    if source < params.other_sample || sample >= params.other_samples { return 0xffffffffu; }
    return sample * params.length + place - params.other_place;
}
