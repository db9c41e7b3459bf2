//! All pictures and tables with invented data, in one page, and the whole report of an invented study: both hold what holds for every
//! page. With RIDGEPOLE_GALLERY=FILE the page is written there, to be looked at, and reports beside it, as .report.html and .values.html.
use super::{calibration, decomposition};
use crate::{
    commands::study::{bias_variance::Loss, sample, treatments::Treatment},
    html::{figure, page, panels},
    svg::heat,
};

fn gallery() -> String {
    let mut out = String::new();
    let map = heat::tests::sample();
    out += &figure("Three hyperparameters", &heat::draw("heat", &map), "Caption of the maps.");
    let lower = heat::Heat { higher_is_better: false, one_se: map.best, ..map };
    out += &figure("Lower is better", &heat::draw("lower", &lower), "Best and simplest are one.");
    for (id, loss) in [("squared", Loss::Squared), ("wrong", Loss::ZeroOne)] {
        let series = decomposition::tests::sample(loss);
        let title = format!("Bias and variance of the {}", decomposition::loss_name(loss));
        out += &figure(&title, &decomposition::draw(id, &series), "Caption of the panels.");
        out += &decomposition::table(&series);
    }
    let (a, b) = (calibration::tests::calibration(-0.08), calibration::tests::calibration(0.02));
    let two = [("weight scaling", &a), ("mean of 50 masks", &b)];
    let curves =
        [0.06, 0.12].map(|top| (0..=40).map(|i| f64::from(i) / 40.0).map(move |set| [1.0 - 0.95 * set, 0.88 + top * set.sqrt()]));
    let [first, second] = curves.map(Iterator::collect::<Vec<_>>);
    let pictures = [
        calibration::reliability("reliability", &two),
        calibration::rejection("rejection", &[("entropy", &first), ("mutual information", &second)]),
        calibration::spread("spread", &calibration::tests::spreads(), "mm"),
    ];
    out += &figure("Calibration", &panels(&pictures), "Caption of the calibration.");
    out += &calibration::table(&two);
    page("Gallery", &out)
}

#[test]
fn what_holds_for_every_page() {
    let reports = [true, false].map(|classes| super::html(&sample::study(&Treatment::ALL, 12, classes)));
    let page = gallery();
    if let Some(file) = std::env::var_os("RIDGEPOLE_GALLERY") {
        let beside = |end: &str| std::path::Path::new(&file).with_extension(end);
        std::fs::write(&file, &page).unwrap();
        std::fs::write(beside("report.html"), &reports[0]).unwrap();
        std::fs::write(beside("values.html"), &reports[1]).unwrap();
    }
    for page in reports.iter().chain([&page]) {
        holds(page);
    }
}

fn holds(page: &str) {
    for outside in ["http", "src=", "href", "@import", "url("] {
        assert!(!page.contains(outside), "the page refers to something outside: {outside}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    let heads = page.matches("<th ").count();
    assert_eq!((page.matches("<th>").count(), page.matches("<th scope=").count()), (0, heads), "heads say what they head");
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<svg").count(), page.matches("<desc").count());
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is there twice");
    assert!(!page.contains("\"NaN") && !page.contains("inf\""), "a place is not a number");
}
