//! What a train block looks at while it runs: records along their moments, conditions to stop, the best parameters.

use super::engine::{Compiled, Engine, read_f64, scalar};
use super::resume::Parts;
use super::trial::Stopped;
use crate::check::program::AxisId;
use crate::graph::elaborate::{EveryProgram, Keep, Measured, Period, RecordSlot};
use crate::graph::{Slot, Store, Tensor};

/// A record over all its moments.
pub struct History {
    pub measured: Measured,
    pub axis: AxisId,
    /// The number of steps done at each moment; of a record at every step, the number of the step.
    pub labels: Vec<String>,
    /// Moments slowest.
    pub values: Vec<f64>,
}

/// A record with its values so far.
struct Series {
    record: RecordSlot,
    /// How many values one moment has.
    width: usize,
    values: Vec<f64>,
}

impl Series {
    fn new(record: RecordSlot) -> Self {
        Series { record, width: 0, values: Vec::new() }
    }

    fn add(&mut self, store: &Store) {
        let now = read_f64(store, self.record.outcome.slot);
        self.width = now.len();
        self.values.extend(now);
    }
}

impl Series {
    fn save(&self, name: &str, parts: &mut Parts) {
        parts.put(name.to_owned(), self.values.clone());
        parts.put(format!("{name}.width"), vec![self.width as f64]);
    }

    fn restore(&mut self, name: &str, parts: &mut Parts) -> Option<()> {
        self.values = parts.take(name)?;
        self.width = *parts.take(&format!("{name}.width"))?.first()? as usize;
        Some(())
    }
}

struct Every {
    program: Compiled,
    period: Period,
    after: bool,
    records: Vec<Series>,
    stops: Vec<Slot>,
    /// The number of steps done when it last ran.
    ran: Option<usize>,
}

/// The best parameters so far.
struct Best {
    keep: Keep,
    value: Option<f64>,
    slots: Vec<Slot>,
    tensors: Vec<Tensor>,
}

/// Runs the `every`s of one block and gathers its records.
pub struct Watcher {
    every: Vec<Every>,
    records: Vec<Series>,
    stops: Vec<Slot>,
    best: Option<Best>,
    stopped: bool,
}

impl Watcher {
    /// `kept` are the slots of parameters and states.
    pub fn new(
        every: Vec<EveryProgram>,
        records: Vec<RecordSlot>,
        stops: Vec<Slot>,
        keep: Option<Keep>,
        kept: Vec<Slot>,
        engine: &Engine,
        store: &Store,
    ) -> Result<Self, Stopped> {
        let mut compiled = Vec::with_capacity(every.len());
        for every in every {
            compiled.push(Every {
                program: engine.compile(every.program, every.span, store)?,
                period: every.period,
                after: every.after,
                records: every.records.into_iter().map(Series::new).collect(),
                stops: every.stops,
                ran: None,
            });
        }
        Ok(Watcher {
            every: compiled,
            records: records.into_iter().map(Series::new).collect(),
            stops,
            best: keep.map(|keep| Best { keep, value: None, slots: kept, tensors: Vec::new() }),
            stopped: false,
        })
    }

    /// Before step `number`, or after the last one. Tells whether training ends here.
    pub fn look(
        &mut self,
        number: usize,
        per_epoch: usize,
        last: bool,
        store: &mut Store,
    ) -> Result<bool, Stopped> {
        let mut ends = self.stopped || last;
        for at in 0..self.every.len() {
            if ends || due(&self.every[at], number, per_epoch) {
                self.run(at, number, store)?;
                ends |= self.stopped;
            }
        }
        // One that stopped the training made it the last moment of those before it, too.
        if self.stopped {
            for at in 0..self.every.len() {
                self.run(at, number, store)?;
            }
        }
        Ok(self.stopped)
    }

    /// Whether an `every` runs before step `number`.
    pub fn is_due(&self, number: usize, per_epoch: usize) -> bool {
        self.every.iter().any(|every| due(every, number, per_epoch))
    }

    /// Whether something is looked at after every step.
    pub fn follows_steps(&self) -> bool {
        !self.records.is_empty() || !self.stops.is_empty()
    }

    fn run(&mut self, at: usize, number: usize, store: &mut Store) -> Result<(), Stopped> {
        let every = &mut self.every[at];
        if every.ran == Some(number) || (every.after && number == 0) {
            return Ok(());
        }
        every.ran = Some(number);
        every.program.run(store).map_err(Stopped::Failed)?;
        for series in &mut every.records {
            series.add(store);
            let record = &series.record;
            if let Some(best) = self.best.as_mut().filter(|best| best.keep.record == record.name) {
                best.offer(scalar(store, record.outcome.slot), store);
            }
        }
        self.stopped |= every.stops.iter().any(|stop| scalar(store, *stop) != 0.0);
        Ok(())
    }

    /// After every step.
    pub fn step_done(&mut self, store: &Store) {
        self.records.iter_mut().for_each(|series| series.add(store));
        self.stopped |= self.stops.iter().any(|stop| scalar(store, *stop) != 0.0);
    }

    pub fn save(&self, parts: &mut Parts) {
        parts.put("stopped".to_owned(), vec![f64::from(u8::from(self.stopped))]);
        for (number, every) in self.every.iter().enumerate() {
            parts.put(format!("every.{number}"), every.ran.iter().map(|step| *step as f64).collect());
            for (at, series) in every.records.iter().enumerate() {
                series.save(&format!("every.{number}.{at}"), parts);
            }
        }
        for (at, series) in self.records.iter().enumerate() {
            series.save(&format!("record.{at}"), parts);
        }
        if let Some(best) = &self.best {
            parts.put("best.value".to_owned(), best.value.into_iter().collect());
            for (at, tensor) in best.tensors.iter().enumerate() {
                parts.arrays.insert(format!("best.{at}"), tensor.clone());
            }
        }
    }

    pub fn restore(&mut self, parts: &mut Parts) -> bool {
        self.try_restore(parts).is_some()
    }

    fn try_restore(&mut self, parts: &mut Parts) -> Option<()> {
        self.stopped = *parts.take("stopped")?.first()? != 0.0;
        for (number, every) in self.every.iter_mut().enumerate() {
            every.ran = parts.take(&format!("every.{number}"))?.first().map(|step| *step as usize);
            for (at, series) in every.records.iter_mut().enumerate() {
                series.restore(&format!("every.{number}.{at}"), parts)?;
            }
        }
        for (at, series) in self.records.iter_mut().enumerate() {
            series.restore(&format!("record.{at}"), parts)?;
        }
        if let Some(best) = &mut self.best {
            best.value = parts.take("best.value")?.first().copied();
            let count = if best.value.is_some() { best.slots.len() } else { 0 };
            best.tensors =
                (0..count).map(|at| parts.arrays.remove(&format!("best.{at}"))).collect::<Option<_>>()?;
        }
        Some(())
    }

    /// Puts the best parameters back, and gives what was recorded. After an early end the last value stands for the
    /// moments that were not reached.
    pub fn finish(self, steps: usize, per_epoch: usize, store: &mut Store) -> Vec<History> {
        if let Some(best) = self.best {
            for (slot, tensor) in best.slots.into_iter().zip(best.tensors) {
                *store.get_mut(slot) = tensor;
            }
        }
        let mut histories = Vec::new();
        for every in self.every {
            let is_due = |number: &usize| match every.after && *number == 0 {
                true => false,
                false => *number == steps || number.is_multiple_of(length(every.period, per_epoch)),
            };
            let labels: Vec<String> = (0..=steps).filter(is_due).map(|number| number.to_string()).collect();
            histories.extend(every.records.into_iter().map(|record| history(record, &labels)));
        }
        let labels: Vec<String> = (0..steps).map(|number| number.to_string()).collect();
        histories.extend(self.records.into_iter().map(|record| history(record, &labels)));
        histories
    }
}

fn length(period: Period, per_epoch: usize) -> usize {
    match period {
        Period::Steps(steps) => steps,
        Period::Epoch => per_epoch,
    }
}

fn due(every: &Every, number: usize, per_epoch: usize) -> bool {
    number.is_multiple_of(length(every.period, per_epoch)) && !(every.after && number == 0)
}

fn history(series: Series, labels: &[String]) -> History {
    let Series { record, width: size, mut values } = series;
    while !values.is_empty() && values.len() < labels.len() * size {
        values.extend_from_within(values.len() - size..);
    }
    let measured = Measured { name: record.name, outcome: record.outcome };
    History { measured, axis: record.axis, labels: labels.to_vec(), values }
}

impl Best {
    fn offer(&mut self, value: f64, store: &Store) {
        let better = match self.value {
            None => !value.is_nan(),
            Some(best) if self.keep.highest => value > best,
            Some(best) => value < best,
        };
        if better {
            self.value = Some(value);
            self.tensors = self.slots.iter().map(|slot| store.get(*slot).clone()).collect();
        }
    }
}
