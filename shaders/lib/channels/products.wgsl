// Sums of dy and of dy * xhat, of all values, without an activation. For lib/channels/reduce; buffers: x, dy, spread. Other
// parts say what dy is (lib/channels/gradient_plain, lib/rows/gradient_weighted) and what the mean is (lib/channels/center_given, lib/channels/center_none).
//!use lib/channels/products_open
//!use lib/channels/store_none
//!use lib/channels/act_grad_none
//!use lib/channels/counted_all
//!use lib/channels/line_channel
