//! Pictures in SVG and the pages around them: files that need nothing else, neither a network nor scripts. Lines differ by dashes,
//! points by shape, and both are named where they are drawn, so that no colour has to be told from another.
mod axis;
mod svg;

pub(crate) use axis::Axis;
pub(crate) use svg::{Anchor, Pen, Svg, escape};

// Okabe and Ito's blue and vermilion, told apart in every common kind of colour vision, and greys.
pub(crate) const BLUE: &str = "#0072b2";
pub(crate) const ORANGE: &str = "#b84a00";
pub(crate) const INK: &str = "#333";
pub(crate) const GREY: &str = "#8a8a8a";
pub(crate) const PALE: &str = "#e4e4e4";

const STYLE: &str = "
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; background: #fff; color: #1c1c1c;
  font: 1rem/1.5 system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0.2rem 0 0.6rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 0.4rem; }
figure { margin: 0; } figcaption, .note { color: #444; max-width: 46rem; }
svg { width: 100%; height: auto; display: block; margin: 0.6rem 0; }
svg text { font-family: inherit; fill: #1c1c1c; }
.tick { font-size: 12px; fill: #444; } .name { font-size: 14px; } .head { font-size: 14px; font-weight: 600; }
.label { font-size: 12px; font-weight: 600; } svg .blue { fill: #005a8e; } svg .orange { fill: #9a3d00; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; margin: 0.6rem 0; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
td.text { white-space: normal; }
@media (prefers-color-scheme: dark) {
  body { background: #15171a; color: #e6e6e6; } figcaption, .note { color: #b8b8b8; } th, td { border-color: #3a3d42; }
  a { color: #6cb6ff; } svg text { fill: #e6e6e6; } .tick { fill: #b8b8b8; } svg .blue { fill: #62b5f0; } svg .orange { fill: #f0945a; }
  [stroke='#333'] { stroke: #c8c8c8; } [stroke='#e4e4e4'] { stroke: #34373c; } [fill='#e4e4e4'] { fill: #34373c; }
  [stroke='#0072b2'] { stroke: #4aa8e8; } [fill='#0072b2'] { fill: #4aa8e8; }
  [stroke='#b84a00'] { stroke: #ee8747; } [fill='#b84a00'] { fill: #ee8747; }
}
@media print { body { max-width: none; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
";

/// A page with this title and what `body`, HTML itself, puts below it.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}
