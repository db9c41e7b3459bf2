// The step is made unless `lib/optimizer/skip_scan` found a gradient that is not finite.
fn update_is_skipped() -> bool { return flag[0] != 0u; }
