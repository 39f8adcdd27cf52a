//! Slots of the store as buffers: checked, and converted where their float width is not the program's.
//!
//! In: the slots that a plan names. Out: a pointer for each. A slot of the other width has a staging array, read before
//! the step and written back after it.

use std::collections::HashMap;

use crate::graph::{Element, Precision, Slot, Store, Tensor};
use crate::plan::Plan;
use crate::plan::kernel::{BufferId, Place};

struct Entry {
    slot: Slot,
    element: Element,
    length: usize,
    read: bool,
    written: bool,
    buffers: Vec<BufferId>,
    /// The elements in the program's width, if the slot has the other one.
    staging: Option<Tensor>,
}

pub struct Slots {
    entries: Vec<Entry>,
    precision: Precision,
}

/// What kernels do with a buffer.
#[derive(Clone, Copy)]
struct Touched {
    /// Some kernel reads it before, or without, one writing it: it holds an input.
    read: bool,
    written: bool,
}

/// For each buffer of a plan; none if no kernel touches it.
fn touched(plan: &Plan) -> Vec<Option<Touched>> {
    let mut touched: Vec<Option<Touched>> = vec![None; plan.buffers.len()];
    for kernel in &plan.kernels {
        let writes = kernel.writes();
        for id in kernel.reads() {
            touched[id.0 as usize]
                .get_or_insert_with(|| Touched { read: !writes.contains(&id), written: false });
        }
        for id in writes {
            touched[id.0 as usize].get_or_insert(Touched { read: false, written: false }).written = true;
        }
    }
    touched
}

impl Slots {
    pub fn new(plan: &Plan) -> Slots {
        let touched = touched(plan);
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: HashMap<Slot, usize> = HashMap::new();
        for (at, (buffer, touched)) in plan.buffers.iter().zip(touched).enumerate() {
            let (Place::Slot(slot), Some(Touched { read, written })) = (&buffer.place, touched) else {
                continue;
            };
            let (slot, id) = (*slot, BufferId(at as u32));
            match known.get(&slot).map(|at| &mut entries[*at]) {
                Some(entry) => {
                    entry.read |= read;
                    entry.written |= written;
                    entry.buffers.push(id);
                }
                None => {
                    known.insert(slot, entries.len());
                    entries.push(Entry {
                        slot,
                        element: buffer.element,
                        length: buffer.length,
                        read,
                        written,
                        buffers: vec![id],
                        staging: None,
                    });
                }
            }
        }
        Slots { entries, precision: plan.precision }
    }

    /// Points every buffer that lies in a slot to its elements.
    ///
    /// # Panics
    /// If the store lacks a slot, or a slot that is read has another length or element: the caller's fault, never the
    /// user's.
    pub fn open(&mut self, store: &mut Store, bases: &mut [*mut u8]) {
        for entry in &mut self.entries {
            let tensor = store.get_mut(entry.slot);
            if tensor.element() != entry.element || tensor.len() != entry.length {
                assert!(
                    !entry.read,
                    "slot {} holds {} elements of {:?}, the program reads {} of {:?}",
                    entry.slot.0,
                    tensor.len(),
                    tensor.element(),
                    entry.length,
                    entry.element
                );
                // An empty slot keeps its width.
                let precision = match tensor {
                    Tensor::F32(_) => Precision::Single,
                    Tensor::F64(_) => Precision::Double,
                    _ => self.precision,
                };
                *tensor = zeros(entry.element, entry.length, precision);
            }
            let base = match (&mut *tensor, self.precision) {
                (Tensor::F32(v), Precision::Single) => v.as_mut_ptr().cast(),
                (Tensor::F64(v), Precision::Double) => v.as_mut_ptr().cast(),
                (Tensor::Index(v), _) => v.as_mut_ptr().cast(),
                (Tensor::Bool(v), _) => v.as_mut_ptr(),
                (other, precision) => {
                    let staging =
                        entry.staging.get_or_insert_with(|| zeros(Element::Float, entry.length, precision));
                    if entry.read {
                        convert(other, staging);
                    }
                    match staging {
                        Tensor::F32(v) => v.as_mut_ptr().cast(),
                        Tensor::F64(v) => v.as_mut_ptr().cast(),
                        Tensor::Index(v) => v.as_mut_ptr().cast(),
                        Tensor::Bool(v) => v.as_mut_ptr(),
                    }
                }
            };
            for buffer in &entry.buffers {
                bases[buffer.0 as usize] = base;
            }
        }
    }

    /// Points every buffer that lies in a slot to a place, for plans that run inside another.
    pub fn bind(&self, slot: Slot, base: *mut u8, bases: &mut [*mut u8]) {
        for entry in self.entries.iter().filter(|entry| entry.slot == slot) {
            for buffer in &entry.buffers {
                bases[buffer.0 as usize] = base;
            }
        }
    }

    /// Writes back what was staged.
    pub fn close(&self, store: &mut Store) {
        for entry in self.entries.iter().filter(|entry| entry.written) {
            let tensor = store.get_mut(entry.slot);
            match (&entry.staging, self.precision, &*tensor) {
                (Some(staging), Precision::Single, Tensor::F64(_))
                | (Some(staging), Precision::Double, Tensor::F32(_)) => convert(staging, tensor),
                _ => {}
            }
        }
    }
}

fn zeros(element: Element, length: usize, precision: Precision) -> Tensor {
    match (element, precision) {
        (Element::Float, Precision::Single) => Tensor::F32(vec![0.0; length]),
        (Element::Float, Precision::Double) => Tensor::F64(vec![0.0; length]),
        (Element::Index, _) => Tensor::Index(vec![0; length]),
        (Element::Bool, _) => Tensor::Bool(vec![0; length]),
    }
}

fn convert(from: &Tensor, to: &mut Tensor) {
    match (from, to) {
        (Tensor::F32(from), Tensor::F64(to)) => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = f64::from(*from);
            }
        }
        (Tensor::F64(from), Tensor::F32(to)) => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from as f32;
            }
        }
        _ => {}
    }
}
