//! Outputs: which node is computed straight into its slot, and which is copied there at the end.
//!
//! A slot that is both input and output is updated in place if every kernel that reads the old value runs before the
//! first that writes the new one, or is that one and reads each element before it writes the same.

use std::collections::{HashMap, HashSet};

use super::PlanError;
use super::kernel::{Buffer, BufferId, Kernel, LoadKind, Place};
use super::lower::{Lowering, access};
use super::view::{View, count, loops};
use crate::graph::{Axis, Slot};

pub fn write_outputs(lowering: &mut Lowering) -> Result<(), PlanError> {
    let program = lowering.program;
    let uses = Uses::new(lowering);
    let written: HashSet<Slot> = program.outputs.iter().map(|output| output.slot).collect();
    let mut seen: HashSet<Slot> = HashSet::new();
    let mut claimed: HashSet<BufferId> = HashSet::new();
    let mut staged: Vec<Kernel> = Vec::new();
    let mut last: Vec<Kernel> = Vec::new();
    for output in &program.outputs {
        if !seen.insert(output.slot) {
            return Err(PlanError::SlotTwice { slot: output.slot });
        }
        let mut view = lowering.view(output.node)?;
        let element = lowering.graph.node(output.node).element;
        let buffer = lowering.buffers[view.buffer.0 as usize].clone();
        let dense = view.is_dense(&output.layout, lowering.axes)
            && buffer.length == count(output.layout.iter().copied(), lowering.axes);
        let from_input = matches!(buffer.place, Place::Slot(_)) && !claimed.contains(&view.buffer);
        if dense && from_input && buffer.place == Place::Slot(output.slot) {
            continue;
        }
        if dense
            && matches!(buffer.place, Place::Arena(_))
            && uses.is_safe(lowering, view.buffer, output.slot)
        {
            lowering.buffers[view.buffer.0 as usize].place = Place::Slot(output.slot);
            claimed.insert(view.buffer);
            continue;
        }
        if let Place::Slot(slot) = buffer.place
            && from_input
            && written.contains(&slot)
        {
            let copy = lowering.dense(element, &output.layout);
            staged.push(copy_kernel(lowering, &output.layout, &view, &copy));
            view = copy;
        }
        let target = lowering.dense(element, &output.layout);
        lowering.buffers[target.buffer.0 as usize].place = Place::Slot(output.slot);
        claimed.insert(target.buffer);
        last.push(copy_kernel(lowering, &output.layout, &view, &target));
    }
    staged.append(&mut lowering.kernels);
    staged.append(&mut last);
    lowering.kernels = staged;
    Ok(())
}

fn copy_kernel(lowering: &Lowering, order: &[Axis], from: &View, to: &View) -> Kernel {
    let merged = loops(order, &[from, to], lowering.axes);
    Kernel::Copy {
        sizes: merged.iter().map(|l| l.size).collect(),
        from: access(from, merged.iter().map(|l| l.strides[0])),
        to: access(to, merged.iter().map(|l| l.strides[1])),
        add: false,
    }
}

/// Which kernels write and read what, before any output has its place.
struct Uses {
    /// For each buffer the first kernel that writes it.
    first_write: Vec<Option<usize>>,
    /// For each slot that holds an input, the kernels that read it.
    readers: HashMap<Slot, Vec<usize>>,
}

impl Uses {
    fn new(lowering: &Lowering) -> Uses {
        let mut first_write: Vec<Option<usize>> = vec![None; lowering.buffers.len()];
        let mut readers: HashMap<Slot, Vec<usize>> = HashMap::new();
        for (at, kernel) in lowering.kernels.iter().enumerate() {
            for id in kernel.writes() {
                first_write[id.0 as usize].get_or_insert(at);
            }
            for id in kernel.reads() {
                if let Place::Slot(slot) = lowering.buffers[id.0 as usize].place {
                    readers.entry(slot).or_default().push(at);
                }
            }
        }
        Uses { first_write, readers }
    }

    /// Can the buffer lie in the slot, whose old value is read?
    fn is_safe(&self, lowering: &Lowering, buffer: BufferId, slot: Slot) -> bool {
        let Some(first) = self.first_write.get(buffer.0 as usize).copied().flatten() else { return false };
        // No output lies in this slot yet, so all buffers there are inputs.
        let old = |id: BufferId| lowering.buffers[id.0 as usize].place == Place::Slot(slot);
        self.readers.get(&slot).into_iter().flatten().all(|at| {
            let kernel = &lowering.kernels[*at];
            *at < first || *at == first && reads_before_it_writes(kernel, &lowering.buffers, &old)
        })
    }
}

/// Does a fused kernel read these buffers only element by element, in step with what it writes?
fn reads_before_it_writes(kernel: &Kernel, buffers: &[Buffer], old: &impl Fn(BufferId) -> bool) -> bool {
    let Kernel::Fused(fused) = kernel else { return false };
    fused.loads.iter().filter(|load| old(load.buffer)).all(|load| {
        load.kind == LoadKind::Contiguous
            && load.offset == 0
            && buffers[load.buffer.0 as usize].length == fused.length
    })
}
