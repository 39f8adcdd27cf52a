//! The plans of a run. In: programs as they are elaborated. Out: each rewritten and planned, once for all trials that have it.
//!
//! Trials that differ in their seed, or in anything else that is a value of a slot, have the same programs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use crate::backend::cpu::{self, Native};
use crate::graph::{Graph, Program};
use crate::plan::{Plan, PlanOptions};

/// So many programs are kept. A trial has a few, and the trials that run at a time are mostly of one kind.
const MOST: usize = 64;

/// A program that was rewritten and planned.
pub struct Planned {
    /// The rewritten graph, to which faults refer.
    pub graph: Graph,
    pub plan: Plan,
    native: OnceLock<Arc<Native>>,
}

impl Planned {
    pub fn new(graph: Graph, plan: Plan) -> Planned {
        Planned { graph, plan, native: OnceLock::new() }
    }

    /// Machine code for the host, made once for all trials.
    pub fn native(&self, options: &PlanOptions) -> Arc<Native> {
        Arc::clone(self.native.get_or_init(|| cpu::native(&self.plan, options)))
    }
}

struct Known {
    program: Program,
    /// Planned for a device.
    launches: bool,
    planned: Arc<Planned>,
}

#[derive(Default)]
pub struct Plans {
    known: Mutex<HashMap<u64, Vec<Known>>>,
}

impl Plans {
    /// What was planned for the same program, or what `make` plans now. Who comes second while it is planned plans it, too: nobody
    /// waits for another trial.
    pub fn planned<E>(
        &self,
        program: &Program,
        launches: bool,
        make: impl FnOnce() -> Result<Planned, E>,
    ) -> Result<Arc<Planned>, E> {
        let fingerprint = program.fingerprint();
        let find = |known: &HashMap<u64, Vec<Known>>| {
            let candidates = known.get(&fingerprint).into_iter().flatten();
            let mut same =
                candidates.filter(|known| known.launches == launches && known.program.is_same_as(program));
            same.next().map(|known| Arc::clone(&known.planned))
        };
        if let Some(planned) = self.known.lock().ok().and_then(|known| find(&known)) {
            return Ok(planned);
        }
        let planned = Arc::new(make()?);
        if let Ok(mut known) = self.known.lock()
            && find(&known).is_none()
        {
            if known.values().map(Vec::len).sum::<usize>() >= MOST {
                known.clear();
            }
            let program = program.clone();
            let new = Known { program, launches, planned: Arc::clone(&planned) };
            known.entry(fingerprint).or_default().push(new);
        }
        Ok(planned)
    }

    /// How many programs are kept.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.known.lock().map_or(0, |known| known.values().map(Vec::len).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Element, Precision, Slot};
    use crate::plan::{PlanError, plan};

    fn scaled(factor: f64) -> Program {
        let mut program = Program::new(Precision::Single);
        let axis = program.graph.axes.add("A", 3);
        let x = program.input("x", Element::Float, &[axis], Slot(0));
        let scaled = program.graph.scale(x, factor).unwrap();
        program.output("y", scaled, &[axis], Slot(1)).unwrap();
        program
    }

    fn make(program: &Program) -> Result<Planned, PlanError> {
        let plan = plan(program, &PlanOptions::default())?;
        Ok(Planned::new(program.graph.clone(), plan))
    }

    #[test]
    fn equal_programs_are_planned_once() {
        let plans = Plans::default();
        let of = |factor| {
            let program = scaled(factor);
            plans.planned(&program, false, || make(&program)).unwrap()
        };
        let first = of(2.0);
        assert!(Arc::ptr_eq(&first, &of(2.0)));
        assert!(!Arc::ptr_eq(&first, &of(3.0)));
        assert_eq!(plans.len(), 2);
    }

    #[test]
    fn not_all_programs_are_kept() {
        let plans = Plans::default();
        for factor in 0..3 * MOST {
            let program = scaled(factor as f64 + 2.0);
            plans.planned(&program, false, || make(&program)).unwrap();
            assert!(plans.len() <= MOST);
        }
    }
}
