//! Reports as pages: plots of small inputs as snapshots, a page of a small run, and what must be so of every page: nothing from
//! elsewhere, all text escaped, every element closed, no number that cannot be drawn.

mod support;

use ansatz::report::{self, Figure, Report, StoredResults};
use serde_json::{Value, json};
use support::runs::Bench;

/// Results with these measures, and whatever else is given.
fn results(measures: Value, more: Value) -> StoredResults {
    let mut all = json!({
        "experiment": "small", "measures": measures, "claims": [],
        "provenance": {
            "ansatz": "0", "file": "small.anz", "source": "", "program": "", "data": [], "seed": 0, "backend": "cpu", "settings": []
        },
    });
    all.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    report::stored(&all.to_string()).expect("results")
}

fn axis(name: &str, labels: &[&str]) -> Value {
    json!({ "name": name, "labels": labels })
}

fn measure(name: &str, axes: &[Value], values: &[f64]) -> Value {
    json!({ "name": name, "axes": axes, "values": values, "line": 1 })
}

/// The curves of a term whose trials have these arms and two seeds.
fn training(arms: &[&str]) -> Value {
    let trials = arms.iter().enumerate().flat_map(|(arm, label)| [(arm, label, 0), (arm, label, 1)]);
    let curve = |(arm, label, seed): (usize, &&str, usize)| {
        let value = |tenth: i32| 0.5f64.powi(tenth) * (1.0 + arm as f64 + 0.2 * seed as f64);
        let values: Vec<f64> = (0..10).map(value).collect();
        json!({ "term": "loss", "block": 1, "trial": [["Arm", label], ["Seed", seed.to_string()]], "values": values })
    };
    json!(trials.map(curve).collect::<Vec<_>>())
}

fn drawn(figures: &[Figure]) -> String {
    let all = figures.iter().map(|figure| format!("{}\n{}", figure.name, figure.element("f")));
    all.collect::<Vec<_>>().join("\n")
}

fn page(results: &StoredResults, source: &str) -> String {
    report::page(&Report { results, source: Some(source), record: None })
}

#[test]
fn arms_are_bars_effects_and_curves() {
    let axes = [axis("Arm", &["plain", "smooth"]), axis("Seed", &["0", "1"])];
    let found = results(
        json!([measure("error", &axes, &[1.0, 1.5, 0.25, 0.5])]),
        json!({ "training": training(&["plain", "smooth"]) }),
    );
    insta::assert_snapshot!(drawn(&report::figures(&found)));
}

#[test]
fn two_axes_of_arms_are_a_heat_map() {
    let rates = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let axes = [axis("Loss", &["p", "q", "r", "s", "t", "u"]), axis("Kind", &rates)];
    let values: Vec<f64> = (0..48).map(|n| f64::from(n % 7) / 4.0).collect();
    let figures = report::figures(&results(json!([measure("harm", &axes, &values)]), json!({})));
    let svg = drawn(&figures);
    assert_eq!(svg.matches("<rect class=\"cell\"").count(), 48 + 10, "{svg}");
    insta::assert_snapshot!(svg.lines().take(12).collect::<Vec<_>>().join("\n"));
}

#[test]
fn numbers_are_curves_on_their_scale() {
    let axes = [axis("Rate", &["0.001", "0.01", "0.1"]), axis("Seed", &["0", "1"])];
    let found = results(json!([measure("loss", &axes, &[1.0, 1.5, 0.5, 0.75, 2.0, 3.0])]), json!({}));
    insta::assert_snapshot!(drawn(&report::figures(&found)));
}

#[test]
fn two_measures_are_a_trade_off_with_its_front() {
    let axes = [axis("Arm", &["a", "b", "c", "d"])];
    let measures = json!([
        measure("accuracy", &axes, &[0.9, 0.8, 0.7, 0.6]),
        measure("gap", &axes, &[0.3, 0.1, 0.2, 0.05])
    ]);
    let figures = report::figures(&results(measures, json!({})));
    let trade_off =
        figures.iter().find(|figure| figure.name == "gap-against-accuracy").expect("a scatter plot");
    let svg = trade_off.element("f");
    // Of the four arms, c is beaten by b: the front has three points.
    let front = svg.lines().find(|line| line.contains("class=\"front\"")).expect("a front");
    assert_eq!(front.matches('L').count(), 2, "{front}");
    insta::assert_snapshot!(svg);
}

#[test]
fn confidence_and_what_was_right_are_a_reliability_diagram() {
    let axes = [axis("Bin", &["0", "1", "2"])];
    let measures = json!([
        measure("confidence", &axes, &[0.2, 0.5, 0.9]),
        measure("share_right", &axes, &[0.25, 0.5, 0.75])
    ]);
    let figures = report::figures(&results(measures, json!({})));
    let diagram = figures.iter().find(|figure| figure.name == "reliability").expect("a diagram");
    insta::assert_snapshot!(diagram.element("f"));
}

#[test]
fn a_plot_statement_says_what_is_drawn() {
    let axes = [axis("Arm", &["a", "b"]), axis("Part", &["x", "y", "z"])];
    let series = json!({ "source": "size", "axes": axes, "values": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] });
    let course = |arm: &str, seed: u32| json!({ "source": format!("loss (Arm = {arm}, Seed = {seed})"), "axes": [axis("Tenth", &["1"])], "values": [0.0] });
    let courses = [course("a", 0), course("a", 1), course("b", 0), course("b", 1)];
    let plots = json!([
        { "name": "size", "over": "Part", "by": ["Arm"], "series": [series] },
        { "name": "loss", "over": "Step", "by": ["Arm"], "series": courses },
        { "name": "size", "over": null, "by": [], "series": [series, { "source": "other", "axes": axes, "values": [6, 5, 4, 3, 2, 1] }] },
    ]);
    let figures =
        report::figures(&results(json!([]), json!({ "plots": plots, "training": training(&["a", "b"]) })));
    let titles: Vec<&str> = figures.iter().map(|figure| figure.title.as_str()).collect();
    let course = "loss in training by Arm";
    assert_eq!(titles, ["size over Part by Arm", course, "other against size"]);
    let curves = figures[1].element("f");
    assert_eq!(
        (curves.matches("class=\"band").count(), curves.matches("<path class=\"curve").count()),
        (2, 2)
    );
}

/// NaN, infinities, constants, nothing at all, and the largest numbers there are.
#[test]
fn whatever_was_measured_is_drawn() {
    let odd = [
        json!([null, null, null, null]),
        json!(["infinity", "-infinity", 1.0, null]),
        json!([1e308, -1e308, 0.0, 1e-308]),
        json!([5.0, 5.0, 5.0, 5.0]),
        json!([1.0, 1.0000000000000002, 1.0, 1.0]),
        json!([0.0, 1e-320, 3.0, 1e300]),
    ];
    let shapes = [
        vec![axis("Arm", &["a", "b"]), axis("Seed", &["0", "1"])],
        vec![axis("Rate", &["0.1", "1", "10", "1e300"])],
        vec![axis("Kind", &["a", "b"]), axis("Kind'", &["a", "b"])],
        vec![axis("Bin", &["0", "1", "2", "3"])],
        vec![axis("Seed", &["0", "1", "2", "3"])],
    ];
    for values in &odd {
        for axes in &shapes {
            let measure = |name: &str| json!({ "name": name, "axes": axes, "values": values, "line": 1 });
            let curve = json!({ "term": "loss", "block": 1, "trial": [["Arm", "a"], ["Seed", "0"]], "values": values });
            let plot = json!({ "name": "p", "over": axes[0]["name"], "by": [],
                "series": [{ "source": "p", "axes": axes, "values": values }] });
            let more = json!({ "training": [curve], "plots": [plot] });
            let found = results(json!([measure("confidence"), measure("accuracy"), measure("loss")]), more);
            for figure in report::figures(&found) {
                let svg = figure.document();
                sound(&svg);
                let places =
                    svg.lines().filter(|line| !line.starts_with("<title") && !line.starts_with("<desc"));
                for line in places {
                    let shape = line.split('>').next().unwrap_or_default();
                    assert!(!shape.contains("NaN") && !shape.contains("inf"), "{values}: {line}");
                }
            }
            sound(&page(&found, ""));
        }
    }
    let empty = json!([{ "name": "none", "axes": [axis("Row", &[])], "values": [], "line": 1 }]);
    sound(&page(&results(empty, json!({})), ""));
}

#[test]
fn all_text_is_escaped() {
    let evil = "</title><script>alert(\"1\" + '2')</script>&";
    let axes = json!([axis(evil, &[evil, "b"]), axis("Seed", &["0", "1"])]);
    let side = json!({ "source": evil, "axes": axes, "values": [1.0, 2.0, 3.0, 4.0] });
    let more = json!({
        "experiment": evil,
        "claims": [{ "text": evil, "verdict": "refuted", "line": 1, "evidence": [
            { "left": side, "relation": evil, "right": side, "within": side, "holds": false }] }],
        "tables": [{ "by": [evil], "columns": [evil], "rows": [{ "labels": [evil], "cells": [{ "mean": 1.0, "half_width": 0.5, "count": 2 }] }] }],
        "texts": [evil],
        "plots": [{ "name": evil, "over": evil, "by": [], "series": [side] }],
        "training": [{ "term": evil, "block": 1, "trial": [[evil, evil], ["Seed", "0"]], "values": [1.0, 2.0] }],
        "diverged": [{ "trial": [[evil, evil]], "term": evil, "step": 1, "line": 1 }],
        "provenance": { "ansatz": evil, "file": evil, "source": evil, "program": evil, "data": [[evil, evil]], "seed": 0,
            "backend": evil, "settings": [[evil, evil]] },
    });
    let measures = json!([{ "name": evil, "axes": axes, "values": [1.0, 2.0, 3.0, 4.0], "line": 1 }]);
    let found = results(measures, more);
    let html = page(&found, &format!("//! {evil}\nclaim \"{evil}\" // {evil}\n"));
    assert!(!html.contains("<script"), "{html}");
    assert!(html.matches("&lt;script&gt;").count() > 20, "{html}");
    sound(&html);
    for figure in report::figures(&found) {
        assert!(!figure.document().contains("<script"));
        assert!(figure.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{}", figure.name);
        sound(&figure.document());
    }
}

/// Every element is closed by the tag that fits, and identities are those of one element each.
fn sound(markup: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut identities = std::collections::HashSet::new();
    for piece in markup.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').unwrap_or_else(|| panic!("no end: {piece}"));
        for identity in tag.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(identities.insert(identity.to_owned()), "`{identity}` twice");
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{markup}");
        } else if !tag.starts_with('!') && !tag.ends_with('/') && !tag.starts_with("meta ") {
            open.push(tag.split_whitespace().next().unwrap_or_default());
        }
    }
    assert!(open.is_empty(), "{open:?} left open");
}

const EXPERIMENT: &str = r#"//! Two ways to the same slope.

use std.optim (sgd)

axis Arm = 2

experiment slopes {
  vary Way = { short, long }
  vary Seed = 2
  param p: Float[Arm] = 1
  train {
    steps match Way { short => 10, long => 20 }
    minimize { fit: sum(p^2, Arm) } over p with sgd(lr = 0.125)
  }
  measure size = p
  measure total = sum(p, Arm)
  claim "more steps leave less": mean(total[Way = long], Seed) < mean(total[Way = short], Seed)
  claim "nothing is left": all(total == 0, Way, Seed)
  report {
    text "What is left & why."
    table total by Way
    plot fit over Step by Way
    plot size over Arm by Way
  }
}
"#;

#[test]
fn a_run_has_a_page() {
    let bench = Bench::new(EXPERIMENT);
    let ran = bench.run(&["--html", "page.html"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.errors);
    let html = std::fs::read_to_string(bench.path("page.html")).expect("a page");
    sound(&html);
    assert!(!html.contains("http") && !html.contains("<script") && !html.contains("url("));
    let outside = html.split("href=\"").skip(1).filter(|rest| !rest.starts_with('#')).count();
    assert_eq!(outside + html.matches(" src=").count(), 0, "something comes from elsewhere");
    // Links to lines lead to lines.
    for target in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(html.contains(&format!("id=\"{target}\"")), "nothing is called {target}");
    }
    let body = &html[html.find("<body>").expect("a body")..];
    let timeless =
        |line: &&str| !line.contains(">time<") && !line.contains("(blake3)") && !line.contains(">Ansatz<");
    insta::assert_snapshot!(body.lines().filter(timeless).collect::<Vec<_>>().join("\n"));

    let said = bench.ansatz(&["report", "e.anz", "--out", "later.html", "--svg", "plots"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let later = std::fs::read_to_string(bench.path("later.html")).expect("a page");
    assert!(later.contains("<th scope=\"row\">started</th>"), "the record of the run is on the page");
    let mut plots: Vec<String> = std::fs::read_dir(bench.path("plots"))
        .expect("plots")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    plots.sort();
    insta::assert_snapshot!(plots.join("\n"));
    // By name, and the newest of all: into the folder of the run.
    for run in [&["report", "e"][..], &["report"]] {
        let said = bench.ansatz(run);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let folder = ran.folder.as_ref().expect("a folder");
        assert!(folder.join("report.html").is_file());
        std::fs::remove_file(folder.join("report.html")).expect("it can be removed");
    }
}

#[test]
fn what_is_not_there_has_no_page() {
    let bench = Bench::new(EXPERIMENT);
    for arguments in [&["report"][..], &["report", "e.anz"], &["report", "nothing"]] {
        let said = bench.ansatz(arguments);
        let errors = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(2), "{errors}");
        assert!(errors.contains("A0608"), "{errors}");
    }
    bench.run(&[]);
    let said = bench.ansatz(&["report", "e", "--out", "e.anz/page.html"]);
    assert_eq!(said.status.code(), Some(3), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(String::from_utf8_lossy(&said.stderr).contains("A0606"));
}
