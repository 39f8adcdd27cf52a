//! The dump of a plan: one line a kernel.

use std::fmt;

use super::Plan;
use super::kernel::{Access, BufferId, Indexed, Kernel, LoadKind, Operation, Place};

impl Operation {
    /// How many arguments count.
    pub fn operands(&self) -> usize {
        match self {
            Operation::Unary(_) | Operation::Not | Operation::Cast(..) => 1,
            Operation::Binary(_)
            | Operation::IndexBinary(_)
            | Operation::Compare(..)
            | Operation::Logic(_) => 2,
            Operation::Special(special) if special.operands() == 2 => 2,
            Operation::Select(_) | Operation::Special(_) => 3,
        }
    }
}

fn extents(sizes: &[usize]) -> String {
    let all: Vec<String> = sizes.iter().map(usize::to_string).collect();
    format!("[{}]", all.join(" "))
}

impl Plan {
    pub(super) fn name(&self, id: BufferId) -> String {
        match &self.buffers[id.0 as usize].place {
            Place::Arena(_) | Place::Band(_) => format!("b{}", id.0),
            Place::Slot(slot) => format!("slot{}", slot.0),
            Place::Constant(at) => format!("c{at}"),
        }
    }

    fn access(&self, access: &Access) -> String {
        self.name(access.buffer)
    }

    /// One kernel in one line.
    pub fn line(&self, kernel: &Kernel) -> String {
        match kernel {
            Kernel::Fused(fused) => {
                let loads: Vec<String> = fused
                    .loads
                    .iter()
                    .map(|load| match load.kind {
                        LoadKind::Contiguous => self.name(load.buffer),
                        LoadKind::Uniform => format!("{} uniform", self.name(load.buffer)),
                        LoadKind::Strided(_) => format!("{} strided", self.name(load.buffer)),
                    })
                    .collect();
                let stores: Vec<String> = fused.stores.iter().map(|(_, buffer)| self.name(*buffer)).collect();
                let count = fused.instructions.len();
                let (loads, stores) = (loads.join(", "), stores.join(", "));
                format!(
                    "fused [{}] {count} instructions, {} rows: {loads} -> {stores}",
                    fused.length, fused.rows
                )
            }
            Kernel::Fill { buffer, value } => format!("fill {value}: {}", self.name(*buffer)),
            Kernel::Copy { sizes, from, to, add } => {
                let what = if *add { "add" } else { "copy" };
                format!("{what} {}: {} -> {}", extents(sizes), self.access(from), self.access(to))
            }
            Kernel::Reduce { reduction, kept, reduced, from, to, .. } => {
                let what = format!("{reduction:?}").to_lowercase();
                let (kept, reduced) = (extents(kept), extents(reduced));
                format!("reduce {what} {kept} over {reduced}: {} -> {}", self.access(from), self.name(*to))
            }
            Kernel::Contract(c) => {
                let loops = match (c.batch.is_empty(), c.outer.is_empty()) {
                    (true, true) => String::new(),
                    _ => format!(" loops {} accumulating {}", extents(&c.batch), extents(&c.outer)),
                };
                let (a, b, to) = (self.access(&c.a), self.access(&c.b), self.access(&c.c));
                let of = c.factors.map_or(String::new(), |half| format!(" of {}", half.name()));
                format!("contract{of} m {} n {} k {}{loops}: {a}, {b} -> {to}", c.m, c.n, c.k)
            }
            Kernel::Gather(Indexed { outer, inner, index, from, to, .. }) => {
                let (outer, inner) = (extents(outer), extents(inner));
                format!(
                    "gather {outer} {inner}: {} at {} -> {}",
                    self.access(from),
                    self.access(index),
                    self.access(to)
                )
            }
            Kernel::Scatter(reduction, Indexed { outer, inner, index, from, to, .. }) => {
                let what = format!("{reduction:?}").to_lowercase();
                let (outer, inner) = (extents(outer), extents(inner));
                let (from, index, to) = (self.access(from), self.access(index), self.access(to));
                format!("scatter {what} {outer} {inner}: {from} at {index} -> {to}")
            }
            Kernel::Line { line, outer, size, from, to, .. } => {
                format!(
                    "{line:?} {} lines of {size}: {} -> {}",
                    extents(outer),
                    self.access(from),
                    self.access(to)
                )
            }
            Kernel::Matrix { kind, batch, rows, columns, from, right, to, .. } => {
                let operands: Vec<String> =
                    std::iter::once(from).chain(right).map(|buffer| self.name(*buffer)).collect();
                let (operands, to) = (operands.join(", "), self.name(*to));
                format!("{} {batch} of [{rows} {columns}]: {operands} -> {to}", kind.name())
            }
            Kernel::Random { site, to, .. } => format!("random site {site}: -> {}", self.name(*to)),
            Kernel::Rounds(rounds) => {
                let order = if rounds.reverse { ", last to first" } else { "" };
                let early = if rounds.done.is_some() { ", may end early" } else { "" };
                let stored: usize = rounds.bindings[..]
                    .iter()
                    .filter(|binding| binding.slot.0 as usize > rounds.operands())
                    .map(|binding| &self.buffers[binding.buffer.0 as usize])
                    .filter(|buffer| buffer.length >= rounds.rounds)
                    .map(|buffer| buffer.length * super::element_bytes(buffer.element, self.precision))
                    .sum();
                let body: Vec<String> =
                    rounds.plan.to_string().lines().map(|line| format!("  {line}")).collect();
                format!(
                    "{} rounds{order}{early}: {} carried, {} kept of every round in {stored} bytes; each:\n{}",
                    rounds.rounds,
                    rounds.carried,
                    rounds.every,
                    body.join("\n")
                )
            }
            Kernel::Check { check, condition } => format!("check {}: {}", check.0, self.access(condition)),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} kernels, {} bytes", self.kernels.len(), self.arena)?;
        for kernel in &self.kernels {
            writeln!(f, "{}", self.line(kernel))?;
        }
        Ok(())
    }
}
