//! `ansatz graph`: every stage of a step as text, in Graphviz's language, and as a picture.

use std::process::{Command, Output};

fn graph(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("graph")
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn text(arguments: &[&str]) -> String {
    let output = graph(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_stage_has_a_text_a_graph_and_a_picture() {
    for stage in ["rewritten", "plan", "kernels"] {
        let arguments = ["experiments/quickstart.anz", "--stage", stage];
        assert!(text(&arguments).lines().count() > 10, "{stage}");
        let dot = text(&[&arguments[..], &["--dot"]].concat());
        let (nodes, edges) = (dot.matches("[ label").count(), dot.matches(" -> ").count());
        assert!(dot.starts_with("digraph {") && edges > 10 && nodes - edges > 10, "{stage}: {dot}");
        let picture = text(&[&arguments[..], &["--svg"]].concat());
        assert!(picture.contains("<svg") && picture.trim_end().ends_with("</svg>"), "{stage}");
        // Each node and each arrow is there.
        let drawn = picture.matches("<path").count();
        assert!(drawn >= edges, "{stage}: {drawn} of {edges} arrows");
    }
}

#[test]
fn an_arrow_leads_from_the_kernel_that_writes_to_the_one_that_reads() {
    let dot = text(&["experiments/quickstart.anz", "--stage", "plan", "--dot"]);
    for line in dot.lines().filter(|line| line.contains(" -> ")) {
        let ends: Vec<usize> = line
            .split(" [")
            .next()
            .unwrap_or_default()
            .split(" -> ")
            .filter_map(|end| end.trim().parse().ok())
            .collect();
        assert!(ends.len() == 2 && ends[0] < ends[1], "{line}");
    }
}

#[test]
fn what_is_too_large_to_be_drawn_says_so() {
    let output = graph(&["benches/transformer.anz", "--svg"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() != Some(0) && said.contains("--dot"), "{said}");
}

#[test]
fn the_passes_can_be_left_out_by_name() {
    let passes = text(&["experiments/quickstart.anz", "--stage", "passes"]);
    for pass in passes.lines() {
        assert!(text(&["experiments/quickstart.anz", "--without", pass]).lines().count() > 10, "{pass}");
    }
    assert!(passes.contains("unwindow") && passes.contains("accumulate"), "{passes}");
}
