// The step is made whatever the gradients hold.
fn update_is_skipped() -> bool { return false; }
