// Sums of dy and of dy * xhat, of all values, without an activation. For lib/channel_reduce; buffers: x, dy, spread. Other
// parts say what dy is (lib/gradient_plain, lib/gradient_weighted) and what the mean is (lib/center_given, lib/center_none).
//!use lib/products_open
//!use lib/emit_none
//!use lib/gate_none
//!use lib/keep_all
//!use lib/line_channel
