//! Outputs: which node is computed straight into its slot, and which is copied there at the end.
//!
//! A slot that is both input and output is updated in place if every kernel that reads the old value runs before the
//! first that writes the new one, or is that one and reads each element before it writes the same.

use super::PlanError;
use super::kernel::{Buffer, BufferId, Kernel, LoadKind, Place};
use super::lower::{Lowering, access};
use super::view::{View, count, loops};
use crate::graph::{Axis, Slot};

pub fn write_outputs(lowering: &mut Lowering) -> Result<(), PlanError> {
    let program = lowering.program;
    let mut claimed: Vec<BufferId> = Vec::new();
    let mut staged: Vec<Kernel> = Vec::new();
    let mut last: Vec<Kernel> = Vec::new();
    for (at, output) in program.outputs.iter().enumerate() {
        if program.outputs[..at].iter().any(|other| other.slot == output.slot) {
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
            && is_safe(lowering, &claimed, view.buffer, output.slot)
        {
            lowering.buffers[view.buffer.0 as usize].place = Place::Slot(output.slot);
            claimed.push(view.buffer);
            continue;
        }
        if let Place::Slot(slot) = buffer.place
            && from_input
            && program.outputs.iter().any(|other| other.slot == slot)
        {
            let copy = lowering.dense(element, &output.layout);
            staged.push(copy_kernel(lowering, &output.layout, &view, &copy));
            view = copy;
        }
        let target = lowering.dense(element, &output.layout);
        lowering.buffers[target.buffer.0 as usize].place = Place::Slot(output.slot);
        claimed.push(target.buffer);
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

fn is_safe(lowering: &Lowering, claimed: &[BufferId], buffer: BufferId, slot: Slot) -> bool {
    let Some(first) = lowering.kernels.iter().position(|kernel| kernel.writes().contains(&buffer)) else {
        return false;
    };
    let old =
        |id: BufferId| lowering.buffers[id.0 as usize].place == Place::Slot(slot) && !claimed.contains(&id);
    lowering.kernels.iter().enumerate().all(|(at, kernel)| {
        if at < first || !kernel.reads().into_iter().any(old) {
            return true;
        }
        at == first && reads_before_it_writes(kernel, &lowering.buffers, &old)
    })
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
