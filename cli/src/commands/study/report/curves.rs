//! Learning curves: one small picture per treatment, all on the same axes.
use crate::{
    commands::study::{
        results::{Outcome, Study},
        treatments::Treatment,
    },
    html, number,
    svg::{Anchor, Axis, BLUE, GREY, INK, ORANGE, PALE, Pen, Svg},
};

const PANEL: [f64; 2] = [320.0, 205.0];
/// Left, top, right and bottom of the plot within a panel.
const MARGIN: [f64; 4] = [44.0, 26.0, 10.0, 28.0];

/// Loss of one part after each epoch: mean, least and greatest over the seeds.
struct Curve {
    mean: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Curve {
    fn of(o: &Outcome, part: usize) -> Self {
        let epochs = o.runs.first().map_or(0, |r| r.curve.len());
        let at = |e: usize| o.runs.iter().map(move |r| r.curve[e][part].loss);
        Self {
            mean: (0..epochs).map(|e| at(e).sum::<f64>() / o.runs.len() as f64).collect(),
            low: (0..epochs).map(|e| at(e).fold(f64::INFINITY, f64::min)).collect(),
            high: (0..epochs).map(|e| at(e).fold(f64::NEG_INFINITY, f64::max)).collect(),
        }
    }
}

/// All panels.
pub fn draw(study: &Study) -> String {
    let curves: Vec<[Curve; 2]> = study.outcomes.iter().map(|o| [Curve::of(o, 0), Curve::of(o, 1)]).collect();
    let values: Vec<f64> = curves.iter().flatten().flat_map(|c| c.low.iter().chain(&c.high)).copied().collect();
    let baseline = study.outcomes.iter().position(|o| o.treatment == Treatment::None);
    let epochs = study.hyper.epochs;
    let mut panels = Vec::new();
    for (i, (o, [train, validation])) in study.outcomes.iter().zip(&curves).enumerate() {
        let mut svg = Svg::new(PANEL[0], PANEL[1]);
        let x = Axis::exact([1.0, epochs.max(2) as f64], [MARGIN[0], PANEL[0] - MARGIN[2]]);
        let bottom = PANEL[1] - MARGIN[3];
        let y = Axis::log(values.iter().copied(), [bottom, MARGIN[1]]);
        frame(&mut svg, &x, &y, epochs);
        svg.text([MARGIN[0], 17.0], Anchor::Start, "head", o.treatment.title());
        let points = |v: &[f64]| v.iter().enumerate().map(|(e, &v)| [x.at(e as f64 + 1.0), y.at(v)]).collect::<Vec<_>>();
        if let Some(b) = baseline.filter(|&b| b != i) {
            svg.path(&points(&curves[b][1].mean), Pen(GREY, 1.2, "1 3"));
        }
        for (curve, color, dash) in [(train, ORANGE, "6 3"), (validation, BLUE, "")] {
            let mut band = points(&curve.high);
            band.extend(points(&curve.low).into_iter().rev());
            svg.area(&band, color, 0.15);
            svg.path(&points(&curve.mean), Pen(color, 2.0, dash));
        }
        labels(&mut svg, [&train.mean, &validation.mean], &x, &y, baseline == Some(i));
        let last = |m: &[f64]| m.last().map_or("unknown".into(), |v| number::significant(*v, 3));
        let said = format!(
            "Loss on the training part (dashed) and on the validation part (solid) after each epoch, on a logarithmic axis, with the \
             range over the seeds. At the end {} and {}.",
            last(&train.mean),
            last(&validation.mean)
        );
        panels.push(svg.finish(&format!("curves-{i}"), &format!("Learning curves: {}", o.treatment.title()), &said));
    }
    html::panels(&panels)
}

fn frame(svg: &mut Svg, x: &Axis, y: &Axis, epochs: usize) {
    let (l, r, bottom) = (MARGIN[0], PANEL[0] - MARGIN[2], PANEL[1] - MARGIN[3]);
    for (v, text) in y.ticks(6) {
        svg.line([l, y.at(v)], [r, y.at(v)], Pen(PALE, 1.0, ""));
        svg.text([l - 5.0, y.at(v) + 4.0], Anchor::End, "tick", text);
    }
    svg.line([l, bottom], [r, bottom], Pen(INK, 1.0, ""));
    svg.text([l, bottom + 15.0], Anchor::Start, "tick", "epoch 1");
    svg.text([x.at(epochs as f64), bottom + 15.0], Anchor::End, "tick", epochs);
}

/// Names the lines where they run, above each where there is room.
fn labels(svg: &mut Svg, [train, validation]: [&[f64]; 2], x: &Axis, y: &Axis, baseline: bool) {
    let epoch = train.len() * 2 / 5;
    let at = |v: &[f64]| v.get(epoch).map(|&v| y.at(v)).filter(|y| y.is_finite());
    let left = x.at(epoch as f64 + 1.0);
    let (Some(t), Some(v)) = (at(train), at(validation)) else {
        svg.text([left, y.at(1.0)], Anchor::Start, "label", "diverged: the loss is not a number");
        return;
    };
    // Curves fall, so above and to the right of a point there is room, unless the other curve is there.
    let below = |own: f64, other: f64| if own > other && own - other < 18.0 { own + 15.0 } else { own - 7.0 };
    let [training, validating] = if baseline { ["training (dashed)", "validation (solid)"] } else { ["training", "validation"] };
    svg.text([left, below(t, v)], Anchor::Start, "label orange", training);
    svg.text([left, below(v, t)], Anchor::Start, "label blue", validating);
}
