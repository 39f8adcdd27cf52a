//! What the papers promise of the library's combiners, on random gradients, by the reference evaluator.

use ansatz::check::check;
use ansatz::graph::elaborate::Scope;
use ansatz::graph::reference::evaluate;
use ansatz::graph::{Store, Tensor};
use ansatz::syntax::ast::ItemKind;
use proptest::prelude::*;

/// Gradients of some terms: every row is one.
fn gradients(terms: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<f64>>> {
    (terms, 4usize..7).prop_flat_map(|(terms, parameters)| {
        let row = proptest::collection::vec(-2.0..2.0f64, parameters);
        proptest::collection::vec(row, terms)
    })
}

/// Long enough, and not nearly dependent: where what is promised is defined.
fn independent(g: &[Vec<f64>]) -> bool {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    g.iter().all(|row| {
        let length = dot(row, row).sqrt();
        let mut rest = row.clone();
        for unit in &basis {
            let along = dot(&rest, unit);
            rest.iter_mut().zip(unit).for_each(|(x, u)| *x -= along * u);
        }
        let left = dot(&rest, &rest).sqrt();
        basis.push(rest.iter().map(|x| x / left).collect());
        length > 0.3 && left > 0.2 * length
    })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The direction that a combiner of the library makes of the gradients.
fn direction(call: &str, g: &[Vec<f64>]) -> Vec<f64> {
    let name = call.split('(').next().unwrap_or(call);
    let rows: Vec<String> = g.iter().map(|row| format!("{row:?}")).collect();
    let text = format!(
        "use std.combine ({name})\n\ntest \"direction\" {{\n  axis Task = {}, P = {}\n  \
         let g: Float[Task, P] = [{}]\n  let gram = sum(g * g[Task as Task'], P)\n  \
         let d = sum({call} * g, Task)\n  assert d ~= d\n}}\n",
        g.len(),
        g[0].len(),
        rows.join(", ")
    );
    let outcome = check("case.anz", &text);
    let errors = || ansatz::diagnostic::render(&outcome.diagnostics, &outcome.sources, false);
    let program = outcome.program.as_ref().unwrap_or_else(|| panic!("{}\n{text}", errors()));
    let file = program.files.last().expect("the case");
    let test = file.items.iter().find_map(|item| match &item.kind {
        ItemKind::Test(test) => Some(test),
        _ => None,
    });
    let mut store = Store::default();
    let seed = store.add(Tensor::Index(vec![1]));
    let mut scope = Scope::new(program, seed);
    let elaborated = scope.test(test.expect("a test"), &mut store).unwrap_or_else(|errors| {
        panic!("{}", ansatz::diagnostic::render(&errors, &outcome.sources, false));
    });
    evaluate(&elaborated.program, &mut store).expect("it can be evaluated");
    store.get(elaborated.assertions[0].sides[0].1.slot).to_f64()
}

fn mean(g: &[Vec<f64>]) -> Vec<f64> {
    (0..g[0].len()).map(|k| g.iter().map(|row| row[k]).sum::<f64>() / g.len() as f64).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// The shortest combination d has an inner product of at least |d|^2 with every gradient.
    #[test]
    fn mgda_lets_no_term_rise(g in gradients(2..5)) {
        let d = direction("mgda(gram, rounds = 1000)", &g);
        for row in &g {
            prop_assert!(dot(row, &d) >= dot(&d, &d) - 1e-3, "{g:?} {d:?}");
        }
    }

    #[test]
    fn pcgrad_of_two_has_no_negative_cosine(g in gradients(2..3)) {
        prop_assume!(independent(&g));
        let d = direction("pcgrad(gram)", &g);
        for row in &g {
            prop_assert!(dot(row, &d) >= -1e-9);
        }
    }

    /// Without a conflict, surgery leaves the sum.
    #[test]
    fn pcgrad_without_a_conflict_is_the_sum(g in gradients(2..5)) {
        let g: Vec<Vec<f64>> = g.iter().map(|row| row.iter().map(|x| x.abs()).collect()).collect();
        let d = direction("pcgrad(gram)", &g);
        for (d, mean) in d.iter().zip(mean(&g)) {
            prop_assert!((d - mean * g.len() as f64).abs() < 1e-9);
        }
    }

    /// Within the ball around the mean gradient, the worst term falls at least as much as along the mean.
    #[test]
    fn cagrad_helps_the_worst_term(g in gradients(2..5)) {
        prop_assume!(independent(&g));
        let d = direction("cagrad(gram, c = 0.5, rounds = 100)", &g);
        let even = mean(&g);
        let worst = |d: &[f64]| g.iter().map(|row| dot(row, d)).fold(f64::INFINITY, f64::min);
        prop_assert!(worst(&d) >= worst(&even) - 1e-6);
        let moved: Vec<f64> = d.iter().zip(&even).map(|(d, e)| d - e).collect();
        prop_assert!(dot(&moved, &moved).sqrt() <= 0.5 * dot(&even, &even).sqrt() + 1e-9);
    }

    /// Every term's weight times its gain is 1: the gains are reciprocal to the weights, which are positive.
    #[test]
    fn nash_shares_equally(g in gradients(2..5)) {
        prop_assume!(independent(&g));
        let d = direction("nash_mtl(gram, rounds = 40)", &g);
        // The weights are the coordinates of d in the gradients: from the gains, weight = 1 / gain.
        let rebuilt = g.iter().fold(vec![0.0; d.len()], |sum, row| {
            let weight = 1.0 / dot(row, &d);
            sum.iter().zip(row).map(|(s, x)| s + weight * x).collect()
        });
        for row in &g {
            prop_assert!(dot(row, &d) > 0.0);
        }
        for (a, b) in d.iter().zip(&rebuilt) {
            prop_assert!((a - b).abs() < 1e-2 * dot(&d, &d).sqrt(), "{d:?} {rebuilt:?}");
        }
    }

    #[test]
    fn imtl_projects_equally(g in gradients(2..5)) {
        prop_assume!(independent(&g));
        let d = direction("imtl_g(gram)", &g);
        let along: Vec<f64> = g.iter().map(|row| dot(row, &d) / dot(row, row).sqrt()).collect();
        let size = dot(&d, &d).sqrt();
        for value in &along {
            prop_assert!((value - along[0]).abs() < 1e-5 * size.max(1e-3), "{along:?}");
        }
    }

    /// No term rises, and for orthogonal gradients of one length nothing changes but the mean is taken.
    #[test]
    fn aligned_gradients_do_not_conflict(g in gradients(2..4)) {
        prop_assume!(independent(&g));
        let d = direction("aligned_mtl(gram)", &g);
        // The aligned gradients are orthogonal and of one length, sigma; d is their mean: d . d = sigma^2 / n.
        let total: f64 = g.iter().map(|row| dot(row, row)).fold(f64::INFINITY, f64::min);
        prop_assert!(dot(&d, &d) <= total / g.len() as f64 + 1e-9);
        prop_assert!(dot(&d, &d) > 0.0);
    }

    /// The first gradient, moved as little as possible: no term rises, and the move is a combination of those that would.
    #[test]
    fn dual_projection_lets_no_other_term_rise(g in gradients(2..5)) {
        prop_assume!(independent(&g));
        let d = direction("dual_projection(gram)", &g);
        for row in &g[1..] {
            prop_assert!(dot(row, &d) >= -1e-6, "{g:?} {d:?}");
        }
        if g[1..].iter().all(|row| dot(row, &g[0]) >= 0.0) {
            for (a, b) in d.iter().zip(&g[0]) {
                prop_assert!((a - b).abs() < 1e-9);
            }
        }
    }
}
