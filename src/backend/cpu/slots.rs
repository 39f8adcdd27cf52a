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

impl Entry {
    fn fits(&self, tensor: &Tensor) -> bool {
        tensor.element() == self.element && tensor.len() == self.length
    }

    /// # Panics
    /// If a slot that is read has another length or element.
    fn check(&self, tensor: &Tensor) {
        assert!(
            self.fits(tensor),
            "slot {} holds {} elements of {:?}, the program reads {} of {:?}",
            self.slot.0,
            tensor.len(),
            tensor.element(),
            self.length,
            self.element
        );
    }

    /// Where the elements are, in the program's width. Nobody writes there but to the staging array.
    fn start_reading(&mut self, tensor: &Tensor, precision: Precision) -> *mut u8 {
        self.check(tensor);
        match is_of_width(tensor, precision) {
            true => start(tensor).cast_mut(),
            false => self.staged(tensor, precision),
        }
    }

    fn start_writing(&mut self, store: &mut Store, precision: Precision) -> *mut u8 {
        let tensor = store.get_mut(self.slot);
        if self.read {
            self.check(tensor);
        } else if !self.fits(tensor) {
            // An empty slot keeps its width.
            let width = match tensor {
                Tensor::F32(_) => Precision::Single,
                Tensor::F64(_) => Precision::Double,
                _ => precision,
            };
            *tensor = zeros(self.element, self.length, width);
        }
        match is_of_width(tensor, precision) {
            true => start_mut(tensor),
            false => self.staged(tensor, precision),
        }
    }

    fn staged(&mut self, tensor: &Tensor, precision: Precision) -> *mut u8 {
        let length = self.length;
        let staging = self.staging.get_or_insert_with(|| zeros(Element::Float, length, precision));
        if self.read {
            convert(tensor, staging);
        }
        start_mut(staging)
    }
}

/// Whether it holds no floats of another width.
fn is_of_width(tensor: &Tensor, precision: Precision) -> bool {
    !matches!((tensor, precision), (Tensor::F32(_), Precision::Double) | (Tensor::F64(_), Precision::Single))
}

fn start(tensor: &Tensor) -> *const u8 {
    match tensor {
        Tensor::F32(v) => v.as_ptr().cast(),
        Tensor::F64(v) => v.as_ptr().cast(),
        Tensor::Index(v) => v.as_ptr().cast(),
        Tensor::Bool(v) => v.as_ptr(),
    }
}

fn start_mut(tensor: &mut Tensor) -> *mut u8 {
    match tensor {
        Tensor::F32(v) => v.as_mut_ptr().cast(),
        Tensor::F64(v) => v.as_mut_ptr().cast(),
        Tensor::Index(v) => v.as_mut_ptr().cast(),
        Tensor::Bool(v) => v.as_mut_ptr(),
    }
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
            // What is only read may be shared with other trials: it is not to be copied.
            let base = match entry.written {
                true => entry.start_writing(store, self.precision),
                false => entry.start_reading(store.get(entry.slot), self.precision),
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
