//! Kernels that only the host computes: their operands are fetched, the CPU executor runs them, their results are sent.

use std::sync::Arc;

use cubecl::prelude::*;

use super::ir::Page;
use super::memory::{Memory, tensor};
use super::place::{DEEPEST, Frame, Located, words};
use crate::backend::{Executable, Fault, cpu};
use crate::graph::{Element, Slot, Store, Tensor};
use crate::plan::kernel::{Kernel, Place};
use crate::plan::{Plan, PlanOptions};

struct Operand {
    slot: Slot,
    place: Located,
    element: Element,
    length: usize,
    read: bool,
    written: bool,
}

pub struct HostStep {
    operands: Vec<Operand>,
    executable: Box<dyn Executable>,
    store: Store,
}

impl HostStep {
    pub fn new(frame: &Frame, kernel: &Kernel) -> Self {
        let mut store = Store::default();
        let mut operands: Vec<Operand> = Vec::new();
        let (reads, writes) = (kernel.reads(), kernel.writes());
        let mut buffers = frame.plan.buffers.clone();
        for (at, buffer) in buffers.iter_mut().enumerate() {
            let id = crate::plan::kernel::BufferId(at as u32);
            let (read, written) = (reads.contains(&id), writes.contains(&id));
            if matches!(buffer.place, Place::Constant(_)) {
                continue;
            }
            if !read && !written {
                (buffer.length, buffer.place) = (0, Place::Arena(0));
                continue;
            }
            let place = frame.place(id);
            let same = operands.iter_mut().find(|operand| operand.place == place);
            let slot = match same {
                Some(operand) => {
                    operand.read |= read;
                    operand.written |= written;
                    operand.slot
                }
                None => {
                    let slot = store.add(tensor(vec![0; buffer.length], buffer.element, false));
                    let (element, length) = (buffer.element, buffer.length);
                    operands.push(Operand { slot, place, element, length, read, written });
                    slot
                }
            };
            buffer.place = Place::Slot(slot);
        }
        let mut plan = Plan {
            precision: frame.plan.precision,
            buffers,
            kernels: vec![kernel.clone()],
            rows: 1,
            bands: crate::plan::band::single(1),
            constants: frame.plan.constants.clone(),
            levels: Vec::new(),
            arena: 0,
        };
        plan.allocate_registers();
        HostStep { operands, executable: cpu::prepare(plan, &PlanOptions::default()), store }
    }

    pub fn run<R: Runtime>(&mut self, pages: &[Arc<Memory<R>>], rounds: [u32; DEEPEST]) -> Result<(), Fault> {
        for operand in self.operands.iter().filter(|operand| operand.read) {
            let found = match operand.place.page {
                Page::Bound(number) => {
                    pages[number as usize].read(operand.place.at(rounds) as usize, operand.length)
                }
                Page::Round(depth) => vec![rounds[depth as usize]],
                Page::Table => continue,
            };
            *self.store.get_mut(operand.slot) = tensor(found, operand.element, false);
        }
        self.executable.run(&mut self.store)?;
        for operand in self.operands.iter().filter(|operand| operand.written) {
            if let Page::Bound(number) = operand.place.page {
                let content: &Tensor = self.store.get(operand.slot);
                pages[number as usize].write(operand.place.at(rounds) as usize, &words(content));
            }
        }
        Ok(())
    }
}
