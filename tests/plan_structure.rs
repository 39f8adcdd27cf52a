//! The kernels of known programs.

mod support;

use ansatz::graph::passes::optimise;
use ansatz::plan::{PlanOptions, plan};

/// What `ansatz graph` says of a stage of a file.
fn graph(file: &str, stage: &str) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["graph", file, "--stage", stage])
        .output()
        .expect("the program starts");
    String::from_utf8(output.stdout).expect("text")
}

/// Each parameter's Adam update is one kernel, in place; no contraction moves an operand.
#[test]
fn a_training_step_of_a_perceptron() {
    let mlp = support::mlp::mlp(64, &[64, 128, 128, 10]).unwrap();
    let program = optimise(&mlp.program, &[]).unwrap();
    insta::assert_snapshot!(plan(&program, &PlanOptions::default()).unwrap());
}

/// What a GPU runs in one go: a whole step of the quickstart in a few launches, and of a transformer of two blocks in a few more.
#[test]
fn launches_of_known_experiments() {
    for (name, file, most) in [
        ("quickstart", "experiments/quickstart.anz", 12),
        ("transformer", "tests/launches/transformer.anz", 24),
    ] {
        let text = graph(file, "kernels");
        let launches = text.split(' ').next().and_then(|count| count.parse::<usize>().ok());
        assert!(launches.is_some_and(|count| count <= most), "{name}: {text}");
        insta::assert_snapshot!(format!("launches_{name}"), text);
    }
}

/// The same network in f32, bf16 and f16: what is rounded joins the kernels beside it, and no launch is added.
#[test]
fn launches_in_half_precision() {
    let text = graph("tests/conformance/half-precision.anz", "kernels");
    let counts: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("launches a step"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(counts.len(), 3, "{text}");
    assert!(counts.iter().all(|count| *count == counts[0]), "{text}");
    insta::assert_snapshot!("launches_half_precision", text);
}

/// The result of a product lies like what it meets element by element, also where it has another axis's name first, or meets what is
/// computed in the same kernel.
#[test]
fn products_lie_like_what_they_meet() {
    let text = graph("tests/launches/pairs.anz", "plan");
    let products: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("contract "))
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    assert_eq!(products.len(), 13, "{text}");
    for product in products {
        assert!(!text.contains(&format!(" {product} strided")), "{product} in {text}");
    }
}
