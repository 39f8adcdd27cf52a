//! The kernels of known programs.

mod support;

use ansatz::plan::{PlanOptions, plan};

/// Each parameter's Adam update is one kernel, in place; no contraction moves an operand.
#[test]
fn a_training_step_of_a_perceptron() {
    let mlp = support::mlp::mlp(64, &[64, 128, 128, 10]).unwrap();
    insta::assert_snapshot!(plan(&mlp.program, &PlanOptions::default()).unwrap());
}
