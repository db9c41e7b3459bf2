//! Pictures in SVG. Lines differ by dashes, points by shape, and both are named where they are drawn, so that nothing depends on colour
//! alone.
mod axis;
mod canvas;
mod color;
pub(crate) mod heat;
mod plot;

pub(crate) use axis::Axis;
pub(crate) use canvas::{Anchor, Pen, Svg};
pub(crate) use plot::{LEGEND, Mark, Plot, STYLES, Style, legend};

// Okabe and Ito's blue and vermilion, distinct in every common kind of colour vision, and greys.
pub(crate) const BLUE: &str = "#0072b2";
pub(crate) const ORANGE: &str = "#b84a00";
pub(crate) const INK: &str = "#333";
pub(crate) const GREY: &str = "#8a8a8a";
pub(crate) const PALE: &str = "#e4e4e4";
