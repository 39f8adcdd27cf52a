//! A program on the device: what is uploaded, launched and read back in a step.
//!
//! In: a plan for a device. Out: an [`Executable`]. At the first run the slots of the store get their places on the device,
//! where they stay; the table and the launches follow from these. Slots that the host writes before every run (the rows of a
//! batch, the number of a step) travel together.

use std::sync::Arc;

use cubecl::prelude::*;

use super::encode::keep;
use super::fault::Faults;
use super::ir::Page;
use super::matmul::BOUND;
use super::memory::{DeviceArray, Memory};
use super::place::{DEEPEST, Frame, Located, words};
use super::work::{Running, Work, launch, works};
use crate::backend::{Executable, Fault};
use crate::graph::{Element, Resident, Slot, Store, Tensor};
use crate::plan::Plan;
use crate::plan::kernel::Place;

struct Entry {
    slot: Slot,
    element: Element,
    length: usize,
    read: bool,
    written: bool,
    fed: bool,
}

pub struct Program<R: Runtime> {
    client: ComputeClient<R>,
    plan: Plan,
    entries: Vec<Entry>,
    bound: Option<Bound<R>>,
    /// Words of one page.
    page: usize,
    followed: Vec<Slot>,
    /// Runs whose followed numbers are on the device.
    waiting: usize,
}

/// What follows from the places of the slots.
struct Bound<R: Runtime> {
    pages: Vec<Arc<Memory<R>>>,
    table: Memory<R>,
    work: Vec<Work>,
    faults: Faults,
    /// Of entries that are not fed.
    arrays: Vec<Option<Arc<DeviceArray<R>>>>,
    /// The page of what is fed.
    feed: Option<usize>,
    /// Keeps the followed numbers of a run.
    keep: Option<Work>,
}

/// Runs whose followed numbers are kept on the device before they are read.
const KEPT: usize = 64;

impl<R: Runtime> Program<R> {
    pub fn new(client: ComputeClient<R>, plan: Plan) -> Self {
        let page = client.properties().memory.max_page_size as usize / 4;
        Program { entries: entries(&plan), client, plan, bound: None, page, followed: Vec::new(), waiting: 0 }
    }

    /// Gives every slot its place and makes the launches.
    fn bind(&mut self, store: &mut Store) -> Bound<R> {
        let mut pages: Vec<Arc<Memory<R>>> = Vec::new();
        let mut arrays: Vec<Option<Arc<DeviceArray<R>>>> = Vec::new();
        // The first page comes last: it needs to know how many faults there may be.
        let mut page_of = |memory: &Arc<Memory<R>>| match pages.iter().position(|p| Arc::ptr_eq(p, memory)) {
            Some(at) => at + 1,
            None => {
                pages.push(memory.clone());
                pages.len()
            }
        };
        let mut places: Vec<Located> = Vec::new();
        let mut waiting: Vec<usize> = Vec::new();
        let mut feed = 0;
        for (at, entry) in self.entries.iter().enumerate() {
            let mut place = Located::new(Page::Table, 0);
            let known = store.device(entry.slot).and_then(|device| downcast::<R>(device));
            match known.filter(|array| array.length == entry.length && !entry.fed) {
                Some(array) => {
                    place = Located::new(Page::Bound(page_of(&array.memory) as u8), array.offset as i64);
                    arrays.push(Some(array));
                }
                None if entry.fed => {
                    place = Located::new(place.page, feed as i64);
                    feed += entry.length;
                    arrays.push(None);
                }
                None => {
                    waiting.push(at);
                    arrays.push(None);
                }
            }
            places.push(place);
        }
        for group in grouped(&waiting, &self.entries, self.page) {
            let mut content = Vec::new();
            let offsets: Vec<usize> = group
                .iter()
                .map(|at| {
                    let offset = content.len();
                    content.extend(host_words(&self.entries[*at], store));
                    content.resize(content.len().next_multiple_of(BOUND), 0);
                    offset
                })
                .collect();
            let memory = Arc::new(Memory::filled(&self.client, content));
            for (at, offset) in group.iter().zip(offsets) {
                let entry = &self.entries[*at];
                let array = Arc::new(DeviceArray {
                    memory: memory.clone(),
                    offset,
                    length: entry.length,
                    element: entry.element,
                    double: matches!(store.get(entry.slot), Tensor::F64(_)),
                });
                places[*at] = Located::new(Page::Bound(page_of(&memory) as u8), offset as i64);
                if entry.read {
                    store.also_on(entry.slot, array.clone());
                }
                arrays[*at] = Some(array);
            }
        }
        let feed_page = pages.len() + 1;
        for (place, entry) in places.iter_mut().zip(&self.entries) {
            if entry.fed {
                place.page = Page::Bound(feed_page as u8);
            }
        }
        let slot = |slot: Slot| {
            let at = self.entries.iter().position(|entry| entry.slot == slot);
            at.map_or(Located::new(Page::Table, 0), |at| places[at])
        };
        let mut table = Vec::new();
        let mut faults = Faults::new(self.plan.arena.div_ceil(4));
        let frame = Frame::outer(&self.plan, slot, &mut table);
        let work = works(&frame, &mut table, &mut faults);
        let ring = faults.begin() + faults.words();
        let followed: Vec<(Located, Element)> =
            self.followed.iter().filter_map(|slot| self.placed(*slot, &places)).collect();
        let keep =
            (!followed.is_empty()).then(|| Work::Chains(launch(vec![keep(&followed, ring)], &mut table)));
        let arena = Memory::empty(&self.client, ring + KEPT * followed.len());
        arena.write(faults.begin(), &vec![0; faults.words()]);
        pages.insert(0, Arc::new(arena));
        if feed > 0 {
            pages.push(Arc::new(Memory::filled(&self.client, vec![0; feed])));
        }
        let table = Memory::filled(&self.client, table);
        let feed = (feed > 0).then_some(feed_page);
        Bound { pages, table, work, faults, arrays, feed, keep }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs one piece of the work of a step again.
    pub fn piece(&mut self, number: usize) -> Result<(), Fault> {
        let Some(bound) = &mut self.bound else { return Ok(()) };
        let running = Running { client: &self.client, pages: &bound.pages, table: &bound.table };
        running.all(&mut bound.work[number..=number], [0; DEEPEST])
    }

    /// Until the device has done everything.
    pub fn wait(&self) {
        if let Some(bound) = &self.bound {
            bound.pages[0].read(0, 1);
        }
    }

    fn placed(&self, slot: Slot, places: &[Located]) -> Option<(Located, Element)> {
        let at = self.entries.iter().position(|entry| entry.slot == slot)?;
        Some((places[at], self.entries[at].element))
    }

    /// What the device noted: faults, and the followed numbers of the runs since it was last read.
    fn noted(&mut self, rows: &mut Vec<f64>) -> Result<(), Fault> {
        let Some(bound) = &self.bound else { return Ok(()) };
        let (words, width) = (bound.faults.words(), self.followed.len());
        let noted = bound.pages[0].read(bound.faults.begin(), words + self.waiting * width);
        let (faults, numbers) = noted.split_at(words);
        if let Some(fault) = bound.faults.found(faults) {
            // The next run starts without it.
            self.bound = None;
            return Err(fault);
        }
        let number = |(slot, word): (&Slot, &u32)| {
            let entry = self.entries.iter().find(|entry| entry.slot == *slot);
            match entry.map(|entry| entry.element) {
                Some(Element::Float) => f64::from(f32::from_bits(*word)),
                _ => f64::from(*word as i32),
            }
        };
        for row in numbers.chunks_exact(width.max(1)) {
            rows.extend(self.followed.iter().zip(row).map(number));
        }
        self.waiting = 0;
        Ok(())
    }

    /// Sends what the host has written since the last run.
    fn send(&mut self, store: &mut Store) {
        let Some(bound) = &mut self.bound else { return };
        let mut fed = Vec::new();
        for (entry, array) in self.entries.iter_mut().zip(&bound.arrays) {
            let Some(array) = array else {
                fed.extend(host_words(entry, store));
                continue;
            };
            if !entry.read || is_same(store.device(entry.slot), array) {
                continue;
            }
            array.upload(store.get(entry.slot));
            store.also_on(entry.slot, array.clone());
        }
        if let Some(page) = bound.feed {
            bound.pages[page] = Arc::new(Memory::filled(&self.client, fed));
        }
    }
}

/// Groups of slots that fit in a page.
fn grouped(waiting: &[usize], entries: &[Entry], page: usize) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for at in waiting {
        let length = entries[*at].length.next_multiple_of(BOUND);
        match groups.last_mut() {
            Some(group) if length <= room => group.push(*at),
            _ => {
                groups.push(vec![*at]);
                room = page;
            }
        }
        room = room.saturating_sub(length);
    }
    groups
}

/// The elements that the host has; zeros for a slot that is only written.
///
/// # Panics
/// If a slot that is read holds another array than the program reads: the caller's fault, never the user's.
fn host_words(entry: &Entry, store: &Store) -> Vec<u32> {
    let tensor = store.get(entry.slot);
    if tensor.element() == entry.element && tensor.len() == entry.length {
        return words(tensor);
    }
    assert!(!entry.read, "slot {} holds another array than the program reads", entry.slot.0);
    vec![0; entry.length]
}

fn downcast<R: Runtime>(device: &Arc<dyn Resident>) -> Option<Arc<DeviceArray<R>>> {
    let array = device.as_any().downcast_ref::<DeviceArray<R>>()?;
    Some(Arc::new(DeviceArray { memory: array.memory.clone(), ..*array }))
}

fn is_same<R: Runtime>(device: Option<&Arc<dyn Resident>>, array: &Arc<DeviceArray<R>>) -> bool {
    let known = device.and_then(|device| device.as_any().downcast_ref::<DeviceArray<R>>());
    known.is_some_and(|known| Arc::ptr_eq(&known.memory, &array.memory) && known.offset == array.offset)
}

fn entries(plan: &Plan) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for buffer in &plan.buffers {
        let Place::Slot(slot) = buffer.place else { continue };
        if entries.iter().any(|entry| entry.slot == slot) {
            continue;
        }
        let ids: Vec<_> = (0..plan.buffers.len() as u32).map(crate::plan::kernel::BufferId).collect();
        let ids: Vec<_> =
            ids.into_iter().filter(|id| plan.buffers[id.0 as usize].place == buffer.place).collect();
        let uses = |all: Vec<crate::plan::kernel::BufferId>| all.iter().any(|id| ids.contains(id));
        let first = plan.kernels.iter().find(|kernel| uses(kernel.reads()) || uses(kernel.writes()));
        let Some(first) = first else { continue };
        let written = plan.kernels.iter().any(|kernel| uses(kernel.writes()));
        let read = uses(first.reads());
        let fed = false;
        entries.push(Entry { slot, element: buffer.element, length: buffer.length, read, written, fed });
    }
    entries
}

impl<R: Runtime> Executable for Program<R> {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault> {
        let first = self.bound.is_none();
        if first {
            self.bound = Some(self.bind(store));
        }
        self.send(store);
        let Some(bound) = &mut self.bound else { return Ok(()) };
        let running = Running { client: &self.client, pages: &bound.pages, table: &bound.table };
        running.all(&mut bound.work, [0; DEEPEST])?;
        if let Some(keep) = &mut bound.keep {
            let run = [self.waiting as u32, 0, 0];
            running.all(std::slice::from_mut(keep), run)?;
            self.waiting += 1;
        }
        for (entry, array) in self.entries.iter().zip(&bound.arrays) {
            if let (true, Some(array)) = (entry.written, array) {
                store.written_on(entry.slot, array.clone());
            }
        }
        if self.followed.is_empty() {
            return self.noted(&mut Vec::new());
        }
        if first {
            // Kernels are made behind the back of the host: waiting once tells how long that took.
            bound.pages[0].read(0, 1);
        }
        Ok(())
    }

    fn follow(&mut self, slots: &[Slot]) {
        self.followed = slots.to_vec();
        self.bound = None;
    }

    fn seen(&mut self, _store: &Store, now: bool, rows: &mut Vec<f64>) -> Result<(), Fault> {
        if let (true, true, Some(bound)) = (now, self.followed.is_empty(), &self.bound) {
            // Nothing to be told of, but the host wants all runs to be over.
            bound.pages[0].read(0, 1);
        }
        if self.followed.is_empty() || self.waiting == 0 || (!now && self.waiting < KEPT) {
            return Ok(());
        }
        self.noted(rows)
    }

    fn feed(&mut self, slots: &[Slot]) {
        for entry in self.entries.iter_mut().filter(|entry| slots.contains(&entry.slot)) {
            entry.fed = !entry.written;
        }
        self.bound = None;
    }

    fn memory(&self) -> usize {
        self.plan.arena
    }
}
