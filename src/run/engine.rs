//! Compiling and running programs, and what their faults mean to the user.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use super::plans::{Planned, Plans};
pub use crate::backend::scalar;
use crate::backend::{self, Backend, Executable};
use crate::diagnostic::{Code, Diagnostic};
#[cfg(feature = "gpu")]
use crate::graph::Precision;
use crate::graph::elaborate::StepProgram;
use crate::graph::{Fault, Graph, MatrixFault, Program, Slot, Store, Tensor};
use crate::plan::{PlanOptions, Stack, plan, plan_stacked};
use crate::source::Span;

/// Makes executables out of programs: rewrites, plan, backend.
#[derive(Default)]
pub struct Engine {
    backend: Backend,
    #[cfg(feature = "gpu")]
    device: Option<backend::cubecl::Gpu>,
    without: Vec<String>,
    /// Bytes that one program and its arrays may take; none: any number.
    memory: Option<u64>,
    /// Every operation is a kernel of its own.
    unfused: bool,
    /// Every trial runs alone.
    unstacked: bool,
    /// Steps of a train block, at most.
    pub most_steps: Option<usize>,
    /// Nanoseconds that first runs on a device took: they make its kernels.
    preparing: Arc<AtomicU64>,
    /// Train blocks of trials that went side by side.
    together: AtomicUsize,
    plans: Plans,
    /// Memory that executors of trials have left behind.
    spare: Arc<backend::cpu::Spare>,
}

/// The graph to which faults refer.
enum Faults {
    Shared(Arc<Planned>),
    Own(Graph),
}

impl Faults {
    fn graph(&self) -> &Graph {
        match self {
            Faults::Shared(planned) => &planned.graph,
            Faults::Own(graph) => graph,
        }
    }
}

/// A compiled program with what is needed to explain its faults.
pub struct Compiled {
    executable: Box<dyn Executable>,
    faults: Faults,
    /// Where the time of the first run is counted, if it makes kernels.
    first: Option<Arc<AtomicU64>>,
}

impl Engine {
    /// `without` names rewrites to leave out.
    pub fn new(backend: Backend, without: Vec<String>, memory: Option<u64>) -> Self {
        Engine {
            backend,
            #[cfg(feature = "gpu")]
            device: (backend == Backend::Gpu)
                .then(backend::cubecl::devices)
                .and_then(|all| all.into_iter().next()),
            without,
            memory,
            unfused: false,
            unstacked: false,
            most_steps: None,
            preparing: Arc::default(),
            together: AtomicUsize::default(),
            plans: Plans::default(),
            spare: Arc::default(),
        }
    }

    /// Without joining operations into kernels, or kernels into launches.
    pub fn unfused(self, unfused: bool) -> Self {
        Engine { unfused, ..self }
    }

    /// Without stacking trials.
    pub fn unstacked(self, unstacked: bool) -> Self {
        Engine { unstacked, ..self }
    }

    /// Seconds that first runs on a device took, in which its kernels are made.
    pub fn preparing(&self) -> f64 {
        self.preparing.load(Ordering::Relaxed) as f64 * 1e-9
    }

    /// So many trials go through a train block side by side.
    pub fn note_together(&self, trials: usize) {
        self.together.fetch_add(trials, Ordering::Relaxed);
    }

    /// Train blocks of trials that went side by side, so far.
    pub fn together(&self) -> usize {
        self.together.load(Ordering::Relaxed)
    }

    /// With no more steps in a train block.
    pub fn most_steps(self, most_steps: Option<usize>) -> Self {
        Engine { most_steps, ..self }
    }

    /// What computes: two engines of one name compute the same bits.
    pub fn name(&self) -> String {
        #[cfg(feature = "gpu")]
        if let Some(device) = &self.device {
            return format!("gpu {}, {}", device.name, backend::vector_instructions());
        }
        match self.backend {
            Backend::Dfdx => "dfdx".to_owned(),
            _ => format!("cpu {}", backend::vector_instructions()),
        }
    }

    /// The rewrites alone.
    pub fn rewrite(&self, program: &Program, span: Span) -> Result<Program, Vec<Diagnostic>> {
        let off: Vec<&str> = self.without.iter().map(String::as_str).collect();
        crate::graph::passes::optimise(program, &off).map_err(|error| {
            vec![
                Diagnostic::error(Code::A0590, span, format!("a rewrite of the graph went wrong: {error:?}"))
                    .label("the program made from this")
                    .help("this is a bug of Ansatz; `--without PASS` leaves the rewrite out"),
            ]
        })
    }

    /// For a program that runs many times, on the device if there is one. Plans first: what needs more memory than there is,
    /// is refused before anything is allocated.
    pub fn compile(&self, program: Program, span: Span, store: &Store) -> Result<Compiled, Vec<Diagnostic>> {
        #[cfg(feature = "gpu")]
        if let Some(device) = self.device.as_ref().filter(|_| program.precision == Precision::Single) {
            return self.compile_for(device, &program, span, store);
        }
        self.compile_here(program, span, store)
    }

    #[cfg(feature = "gpu")]
    pub fn device(&self) -> Option<&backend::cubecl::Gpu> {
        self.device.as_ref()
    }

    /// Rewritten and planned, if no other trial had the same program.
    fn planned(
        &self,
        program: &Program,
        options: &PlanOptions,
        span: Span,
    ) -> Result<Arc<Planned>, Vec<Diagnostic>> {
        self.plans.planned(program, options.launches, || {
            let rewritten = self.rewrite(program, span)?;
            let plan = plan(&rewritten, options).map_err(|error| cannot_be_planned(span, &error))?;
            Ok(Planned::new(rewritten.graph, plan))
        })
    }

    #[cfg(feature = "gpu")]
    fn compile_for(
        &self,
        device: &backend::cubecl::Gpu,
        original: &Program,
        span: Span,
        store: &Store,
    ) -> Result<Compiled, Vec<Diagnostic>> {
        let options = PlanOptions { launches: true, ..self.plan_options() };
        let planned = self.planned(original, &options, span)?;
        let plan = &planned.plan;
        if plan.depth() > backend::cubecl::DEEPEST {
            return self.compile_here(original.clone(), span, store);
        }
        let largest = plan.largest_slot().max(plan.arena as u64);
        let limit = device.largest_array();
        if largest > limit {
            return Err(vec![
                Diagnostic::error(
                    Code::A0506,
                    span,
                    format!(
                        "this needs {} in one piece, {} binds {}",
                        size(largest),
                        device.name,
                        size(limit)
                    ),
                )
                .help("make a batch or an axis smaller, or run it on the processor: `--backend cpu`"),
            ]);
        }
        self.afford(plan.arena as u64, span, store)?;
        let first = Some(self.preparing.clone());
        Ok(Compiled { executable: device.prepare(plan.clone()), faults: Faults::Shared(planned), first })
    }

    fn compile_here(&self, program: Program, span: Span, store: &Store) -> Result<Compiled, Vec<Diagnostic>> {
        if self.backend == Backend::Dfdx {
            let program = self.rewrite(&program, span)?;
            let executable = backend::dfdx::prepare(&program);
            self.afford(executable.memory() as u64, span, store)?;
            return Ok(Compiled { executable, faults: Faults::Own(program.graph), first: None });
        }
        let options = self.plan_options();
        let planned = self.planned(&program, &options, span)?;
        self.afford(planned.plan.arena as u64, span, store)?;
        let native = planned.native(&options);
        let executable = backend::cpu::prepare_with(planned.plan.clone(), native, &self.spare, &options);
        Ok(Compiled { executable, faults: Faults::Shared(planned), first: None })
    }

    /// Whether trials may be stacked: on the host.
    pub fn stacks(&self) -> bool {
        self.backend == Backend::Cpu && !self.unfused && !self.unstacked
    }

    /// How many trials at a time, `most` at most, are likely to be faster side by side than alone, as far as one of them shows; 1
    /// where none are.
    pub fn trials_together(&self, step: &StepProgram, span: Span, most: usize) -> usize {
        let options = self.plan_options();
        let Ok(alone) = self.planned(&step.program, &options, span) else { return 1 };
        let written = |slot: Slot| step.program.outputs.iter().any(|output| output.slot == slot);
        let fed = |slot: Slot| step.batches.iter().any(|batch| batch.slot == Some(slot));
        let is_shared = |slot: Slot| !written(slot) && !fed(slot);
        if !self.stacks() || !alone.plan.pays_stacked(Stack { programs: &[0], is_shared: &is_shared }) {
            return 1;
        }
        let Ok(rewritten) = self.rewrite(&step.program, span) else { return 1 };
        let programs = [rewritten];
        let mut trials = most;
        while trials > 1 {
            let stack = Stack { programs: &vec![0; trials], is_shared: &is_shared };
            match plan_stacked(&programs, &options, stack) {
                Ok(Some(plan)) if plan.pays_stacked(stack) => return trials,
                // Fewer may stay in the cache.
                Ok(Some(_)) => trials = trials.div_ceil(2).min(trials - 1),
                _ => return 1,
            }
        }
        1
    }

    /// For several trials at a time; none if their programs cannot be stacked, or if it does not pay. `store`: of all trials.
    pub fn compile_stacked(
        &self,
        programs: &[&Program],
        span: Span,
        stack: Stack,
        store: &Store,
    ) -> Result<Option<Compiled>, Vec<Diagnostic>> {
        let options = self.plan_options();
        let mut rewritten = Vec::with_capacity(programs.len());
        for program in programs {
            rewritten.push(self.rewrite(program, span)?);
        }
        let plan = plan_stacked(&rewritten, &options, stack);
        let plan = plan.map_err(|error| cannot_be_planned(span, &error))?;
        let (Some(plan), Some(program)) = (plan.filter(|plan| plan.pays_stacked(stack)), rewritten.pop())
        else {
            return Ok(None);
        };
        let planned = Planned::new(program.graph, plan);
        if self.afford(planned.plan.arena as u64, span, store).is_err() {
            return Ok(None);
        }
        let native = planned.native(&options);
        let executable = backend::cpu::prepare_with(planned.plan.clone(), native, &self.spare, &options);
        Ok(Some(Compiled { executable, faults: Faults::Shared(Arc::new(planned)), first: None }))
    }

    /// How the host's plans are made.
    pub fn plan_options(&self) -> PlanOptions {
        PlanOptions { fuse: !self.unfused, ..PlanOptions::default() }
    }

    /// Refuses what needs more memory than there is.
    fn afford(&self, intermediate: u64, span: Span, store: &Store) -> Result<(), Vec<Diagnostic>> {
        let needed = intermediate + store.bytes();
        if let Some(limit) = self.memory.filter(|limit| needed > *limit) {
            return Err(vec![
                Diagnostic::error(
                    Code::A0506,
                    span,
                    format!("this needs {} of memory, {} are free for a trial", size(needed), size(limit)),
                )
                .label(format!(
                    "{} for its arrays, {} for intermediate values",
                    size(store.bytes()),
                    size(intermediate)
                ))
                .help("make a batch or an axis smaller, or run fewer trials at a time: `--jobs 1`"),
            ]);
        }
        Ok(())
    }

    /// Compiles and runs once, on the host: making kernels for a device would take longer.
    pub fn once(&self, program: Program, span: Span, store: &mut Store) -> Result<(), Vec<Diagnostic>> {
        self.compile_here(program, span, store)?.run(store)
    }
}

pub fn cannot_be_planned(span: Span, error: &crate::plan::PlanError) -> Vec<Diagnostic> {
    vec![Diagnostic::error(Code::A0503, span, format!("the program cannot be planned: {error}"))]
}

impl Compiled {
    /// The numbers in these slots are asked for after every run.
    pub fn follow(&mut self, slots: &[Slot]) {
        self.executable.follow(slots);
    }

    /// Appends the followed numbers after each run that was not told of yet; of all runs so far when `now`.
    pub fn seen(&mut self, store: &Store, now: bool, rows: &mut Vec<f64>) -> Result<(), Vec<Diagnostic>> {
        self.executable.seen(store, now, rows).map_err(|fault| vec![explain(&fault, self.faults.graph())])
    }

    /// These slots are written before every run.
    pub fn feed(&mut self, slots: &[Slot]) {
        self.executable.feed(slots);
    }

    pub fn run(&mut self, store: &mut Store) -> Result<(), Vec<Diagnostic>> {
        let started = Instant::now();
        let outcome = self.executable.run(store).map_err(|fault| vec![explain(&fault, self.faults.graph())]);
        if let Some(count) = self.first.take() {
            count.fetch_add(started.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
        outcome
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

pub fn explain(fault: &Fault, graph: &Graph) -> Diagnostic {
    match fault {
        Fault::Check(id) => {
            let check = &graph.checks[id.0 as usize];
            Diagnostic::error(Code::A0501, check.span, check.message.clone()).help(check.help.clone())
        }
        Fault::IndexOutOfRange { node, index, size } => {
            let span = graph.node(*node).span;
            Diagnostic::error(
                Code::A0502,
                span,
                format!("the index {index} lies outside its axis, which has {size} positions"),
            )
            .help("indices start at 0; limit the value with `clamp` before it becomes an index")
        }
        Fault::Matrix { node, fault } => {
            let node = graph.node(*node);
            let (code, what, help) = match fault {
                MatrixFault::NotPositiveDefinite => (
                    Code::A0513,
                    "a matrix is not positive definite",
                    "add a small number to its diagonal: `x + 1e-6 * identity[A]()`",
                ),
                MatrixFault::Singular => (
                    Code::A0514,
                    "a matrix is singular",
                    "some of its rows depend on the others; `pinv` has a value for such matrices, and so has a ridge",
                ),
                MatrixFault::NotSymmetric => (
                    Code::A0515,
                    "a matrix is not symmetric",
                    "elements differ from their mirror images; did you name the right two axes?",
                ),
                MatrixFault::NotFinite => (
                    Code::A0516,
                    "a matrix has elements that are not finite",
                    "an earlier operation overflowed or divided by zero",
                ),
                MatrixFault::NoConvergence => (
                    Code::A0517,
                    "the decomposition of a matrix does not converge",
                    "scale its elements to about 1",
                ),
            };
            Diagnostic::error(code, node.span, format!("`{}`: {what}", node.op.name())).help(help)
        }
    }
}

/// Every element of a slot as f64.
pub fn read_f64(store: &Store, slot: Slot) -> Vec<f64> {
    store.get(slot).to_f64()
}

/// Writes a scalar slot, whatever its element.
pub fn set_scalar(store: &mut Store, slot: Slot, value: f64) {
    match store.get_mut(slot) {
        Tensor::F32(v) => v.iter_mut().for_each(|x| *x = value as f32),
        Tensor::F64(v) => v.iter_mut().for_each(|x| *x = value),
        Tensor::Index(v) => v.iter_mut().for_each(|x| *x = value as i32),
        Tensor::Bool(v) => v.iter_mut().for_each(|x| *x = u8::from(value != 0.0)),
    }
}
