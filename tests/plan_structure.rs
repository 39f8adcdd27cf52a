//! The kernels of known programs.

mod support;

use ansatz::graph::passes::optimise;
use ansatz::plan::{PlanOptions, plan};

/// Each parameter's Adam update is one kernel, in place; no contraction moves an operand.
#[test]
fn a_training_step_of_a_perceptron() {
    let mlp = support::mlp::mlp(64, &[64, 128, 128, 10]).unwrap();
    let program = optimise(&mlp.program, &[]).unwrap();
    insta::assert_snapshot!(plan(&program, &PlanOptions::default()).unwrap());
}
