//! Trials that have the same program go through their train blocks together, where that is faster.
//!
//! In: trials that differ in their seed, fold or group only. Out: the outcome of each, with the bits that it has alone. The first trial goes
//! ahead to its first train block, which decides: where a step is large, all trials run alone, in parallel.

use std::time::Instant;

use super::engine::Engine;
use super::keep::{Attempt, Begin, Computed, Desk};
use super::prepare::Base;
use super::resume::Checkpoints;
use super::stacked::{Ended, Member, Stacked};
use super::training::{self, From, TrainBlock};
use super::trial::{self, Around, Running, Stopped};
use super::vary::{Over, Trial, VaryAxis};
use crate::graph::elaborate::StepProgram;
use crate::source::Span;
use crate::syntax::ast::{Experiment, Statement, StatementKind, Train};

/// The most trials that go together: more do not stay in the cache.
const MOST: usize = 16;

/// The trials in groups that may go together, some for every thread.
pub fn groups(engine: &Engine, axes: &[VaryAxis], trials: &[Trial], numbers: &[usize]) -> Vec<Vec<usize>> {
    if !engine.stacks() {
        return numbers.iter().map(|number| vec![*number]).collect();
    }
    // Arms and numbers are part of the program.
    let program = |number: usize| -> Vec<usize> {
        let positions = axes.iter().zip(&trials[number].positions);
        let own = positions.filter(|(axis, _)| matches!(axis.over, Over::Arms(_) | Over::Values(_)));
        own.map(|(_, at)| *at).collect()
    };
    let mut kinds: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for number in numbers {
        let key = program(*number);
        match kinds.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(*number),
            None => kinds.push((key, vec![*number])),
        }
    }
    let size = numbers.len().div_ceil(rayon::current_num_threads()).clamp(1, MOST);
    kinds.iter().flat_map(|(_, members)| members.chunks(size).map(<[usize]>::to_vec)).collect()
}

/// What the trials of a group share.
pub struct Group<'a, 'p> {
    pub base: &'a Base<'p>,
    pub experiment: &'p Experiment,
    pub trials: &'a [Trial],
    pub around: Around<'a>,
    pub desk: &'a dyn Desk,
    /// Is told of each trial that was computed here: its number, seconds, and outcome.
    pub ended: &'a (dyn Fn(usize, f64, &Computed) + Sync),
}

/// A trial that is computed here, and its place among those of the group.
struct Taken {
    place: usize,
    number: usize,
    checkpoints: Checkpoints,
}

/// A trial on its way.
struct Walker<'a, 'p> {
    running: Running<'a, 'p>,
    /// A train block that it has come to.
    ahead: Option<(StepProgram, TrainBlock)>,
    stopped: Option<Stopped>,
    /// Something failed in steps that it did with others: it begins again, alone.
    begins_again: bool,
}

impl<'p> Walker<'_, 'p> {
    fn goes_on(&self) -> bool {
        self.stopped.is_none() && !self.begins_again && self.running.outcome.diverged.is_none()
    }

    fn execute(&mut self, statements: &[&'p Statement]) {
        for statement in statements {
            if !self.goes_on() {
                break;
            }
            self.stopped = self.running.execute(statement).err();
        }
    }

    /// Comes to a train block, without a step of it.
    fn come_to(&mut self, train: &'p Train, span: Span) {
        if self.ahead.is_none() && self.goes_on() {
            match self.running.begin_train(train, span) {
                Ok(ahead) => self.ahead = Some(ahead),
                Err(stopped) => self.stopped = Some(stopped),
            }
        }
    }

    fn train_alone(&mut self) {
        let Some((step, block)) = self.ahead.take() else { return };
        self.stopped = self.running.train_begun(step, block).err();
    }

    /// None if it has to begin again.
    fn outcome(self) -> Option<Computed> {
        match (self.begins_again, self.stopped) {
            (true, _) => None,
            (false, Some(stopped)) => Some(Err(stopped)),
            (false, None) => Some(Ok(self.running.outcome)),
        }
    }
}

impl<'p> Group<'_, 'p> {
    /// An attempt at each of these trials. Each is taken when it begins, so that other processes can take the others meanwhile.
    pub fn run(&self, numbers: &[usize]) -> Vec<Attempt> {
        let statements: Vec<&'p Statement> = trial::trial_phase(self.base, self.experiment).collect();
        let trains = statements.iter().enumerate().find_map(|(at, statement)| match &statement.kind {
            StatementKind::Train(train) => Some((at, train, statement.span)),
            _ => None,
        });
        let mut attempts: Vec<Attempt> = numbers.iter().map(|_| None).collect();
        let mut places = 0..numbers.len();
        let Some(mut head) = places.find_map(|place| self.take(place, numbers, &mut attempts)) else {
            return attempts;
        };
        let started = Instant::now();
        let mut leader = self.walker(head.number, &mut head.checkpoints);
        let at = trains.map_or(0, |(at, ..)| at);
        leader.execute(&statements[..at]);
        if let Some((_, train, span)) = trains.filter(|_| !places.is_empty()) {
            leader.come_to(train, span);
        }
        let engine = self.around.engine;
        let pays = |(step, block): &(StepProgram, TrainBlock)| {
            engine.pays_stacked(step, block.span, 1 + places.len())
        };
        if leader.ahead.as_ref().is_some_and(pays) {
            let mut tail: Vec<Taken> =
                places.filter_map(|place| self.take(place, numbers, &mut attempts)).collect();
            let mut walkers = vec![leader];
            for Taken { number, checkpoints, .. } in &mut tail {
                let mut walker = self.walker(*number, checkpoints);
                walker.execute(&statements[..at]);
                walkers.push(walker);
            }
            self.side_by_side(&mut walkers, &statements[at..]);
            let outcomes: Vec<Option<Computed>> = walkers.into_iter().map(Walker::outcome).collect();
            let seconds = started.elapsed().as_secs_f64() / outcomes.len() as f64;
            for (mut taken, outcome) in std::iter::once(head).chain(tail).zip(outcomes) {
                attempts[taken.place] = Some(match outcome {
                    Some(outcome) => self.tell(taken.number, seconds, outcome, &mut taken.checkpoints),
                    None => self.alone(taken.number, &mut taken.checkpoints),
                });
            }
            return attempts;
        }
        let rest = places.start;
        let outcome = rayon::in_place_scope(|scope| {
            for (number, attempt) in numbers[rest..].iter().zip(&mut attempts[rest..]) {
                scope.spawn(|_| {
                    *attempt = match self.desk.take(*number) {
                        Begin::Known(known) => known,
                        Begin::Ours(mut checkpoints) => Some(self.alone(*number, &mut checkpoints)),
                    }
                });
            }
            let from = if leader.ahead.is_some() { at + 1 } else { at };
            leader.train_alone();
            leader.execute(&statements[from..]);
            leader.outcome()
        });
        let seconds = started.elapsed().as_secs_f64();
        attempts[head.place] =
            outcome.map(|outcome| self.tell(head.number, seconds, outcome, &mut head.checkpoints));
        attempts
    }

    /// The trial at a place, if it is to be computed here.
    fn take(&self, place: usize, numbers: &[usize], attempts: &mut [Attempt]) -> Option<Taken> {
        match self.desk.take(numbers[place]) {
            Begin::Ours(checkpoints) => Some(Taken { place, number: numbers[place], checkpoints }),
            Begin::Known(known) => {
                attempts[place] = known;
                None
            }
        }
    }

    fn walker<'c>(&'c self, number: usize, checkpoints: &'c mut Checkpoints) -> Walker<'c, 'p> {
        self.around.observer.trial_started(number);
        let running = Running::new(self.base, &self.trials[number], number, self.around, checkpoints);
        Walker { running, ahead: None, stopped: None, begins_again: false }
    }

    fn alone(&self, number: usize, checkpoints: &mut Checkpoints) -> Computed {
        let started = Instant::now();
        self.around.observer.trial_started(number);
        let trial = &self.trials[number];
        let outcome = trial::run(self.base, self.experiment, trial, number, self.around, checkpoints);
        self.tell(number, started.elapsed().as_secs_f64(), outcome, checkpoints)
    }

    fn tell(
        &self,
        number: usize,
        seconds: f64,
        outcome: Computed,
        checkpoints: &mut Checkpoints,
    ) -> Computed {
        self.desk.ended(number, &outcome, checkpoints);
        (self.ended)(number, seconds, &outcome);
        outcome
    }

    /// Statement by statement, all trials each.
    fn side_by_side(&self, walkers: &mut [Walker<'_, 'p>], statements: &[&'p Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Train(train) => {
                    walkers.iter_mut().for_each(|walker| walker.come_to(train, statement.span));
                    self.train(walkers);
                }
                _ => walkers.iter_mut().for_each(|walker| walker.execute(&[statement])),
            }
        }
    }

    /// The train block that the trials have come to.
    fn train(&self, walkers: &mut [Walker<'_, 'p>]) {
        let Around { engine, shared, observer } = self.around;
        let programs = || walkers.iter().filter_map(|walker| Some(&walker.ahead.as_ref()?.0.program));
        let Some(program) = programs().next().cloned() else { return };
        let are_same = programs().all(|other| other.is_same_as(&program));
        let mut places = Vec::new();
        let mut members = Vec::new();
        for (place, walker) in walkers.iter_mut().enumerate() {
            let Some((step, block)) = walker.ahead.take() else { continue };
            let Running { store, checkpoints, .. } = &mut walker.running;
            match training::begin(step, block, engine, store, checkpoints, shared) {
                Ok(begun) => {
                    places.push(place);
                    members.push(Member { begun, block, store, checkpoints });
                }
                Err(stopped) => walker.stopped = Some(stopped),
            }
        }
        let are_new = members.iter().all(|member| member.begun.from == From::Start);
        // What cannot be compiled for all is told by each trial alone.
        let stacked = match are_same && are_new {
            true => Stacked::new(&program, engine, &members).ok().flatten(),
            false => None,
        };
        let tell = |block: TrainBlock, done, steps| {
            observer.training(block.trial, block.number as usize, done, steps);
        };
        let has_failed = stacked.is_some_and(|stacked| stacked.run(&mut members, &tell) == Ended::Failed);
        let trained: Vec<_> = members
            .into_iter()
            .map(|Member { begun, block, store, checkpoints }| {
                let progress = |done, steps| tell(block, done, steps);
                (!has_failed).then(|| training::complete(begun, block, store, checkpoints, shared, progress))
            })
            .collect();
        for (place, trained) in places.into_iter().zip(trained) {
            let walker = &mut walkers[place];
            match trained {
                Some(Ok(trained)) => walker.running.end_train(trained),
                Some(Err(stopped)) => walker.stopped = Some(stopped),
                None => walker.begins_again = true,
            }
        }
    }
}
