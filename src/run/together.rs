//! Trials that have the same program go through their train blocks together, where that is faster.
//!
//! In: trials that differ in their seed, fold or group only. Out: the outcome of each, with the bits that it has alone. The first trial goes
//! ahead to its first train block, which decides: where a step is large, all trials run alone, in parallel.

use std::time::Instant;

use super::engine::Engine;
use super::keep::Computed;
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

/// Is told that a trial has ended: its number, seconds, outcome, and its checkpoints.
pub type TrialEnded<'a> = dyn Fn(usize, f64, &Computed, &mut Checkpoints) + Sync + 'a;

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
    pub ended: &'a TrialEnded<'a>,
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
        let Running { store, checkpoints, engine, shared, observer, .. } = &mut self.running;
        let progress = |done, steps| observer.training(block.trial, block.number as usize, done, steps);
        match training::train(step, block, engine, store, checkpoints, shared, progress) {
            Ok(trained) => self.running.end_train(trained),
            Err(stopped) => self.stopped = Some(stopped),
        }
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
    /// The outcome of each of these trials.
    pub fn run(&self, numbers: &[usize], checkpoints: &mut [Checkpoints]) -> Vec<Computed> {
        let statements: Vec<&'p Statement> = trial::trial_phase(self.base, self.experiment).collect();
        let trains = statements.iter().enumerate().find_map(|(at, statement)| match &statement.kind {
            StatementKind::Train(train) => Some((at, train, statement.span)),
            _ => None,
        });
        let (Some((first, others)), Some((head, tail))) =
            (numbers.split_first(), checkpoints.split_first_mut())
        else {
            return Vec::new();
        };
        let (Some((at, train, span)), false) = (trains, others.is_empty()) else {
            let others =
                others.iter().zip(tail).map(|(number, checkpoints)| self.alone(*number, checkpoints));
            return std::iter::once(self.alone(*first, head)).chain(others).collect();
        };
        let started = Instant::now();
        let mut leader = self.walker(*first, head);
        leader.execute(&statements[..at]);
        leader.come_to(train, span);
        let engine = self.around.engine;
        let pays = |(step, block): &(StepProgram, TrainBlock)| {
            engine.pays_stacked(step, block.span, numbers.len(), &leader.running.store)
        };
        if leader.ahead.as_ref().is_some_and(pays) {
            let mut walkers = vec![leader];
            for (number, checkpoints) in others.iter().zip(tail) {
                let mut walker = self.walker(*number, checkpoints);
                walker.execute(&statements[..at]);
                walkers.push(walker);
            }
            self.side_by_side(&mut walkers, &statements[at..]);
            let outcomes: Vec<Option<Computed>> = walkers.into_iter().map(Walker::outcome).collect();
            let seconds = started.elapsed().as_secs_f64() / numbers.len() as f64;
            let all = numbers.iter().zip(outcomes).zip(checkpoints);
            return all
                .map(|((number, outcome), checkpoints)| match outcome {
                    Some(outcome) => self.tell(*number, seconds, outcome, checkpoints),
                    None => self.alone(*number, checkpoints),
                })
                .collect();
        }
        let mut found: Vec<Option<Computed>> = others.iter().map(|_| None).collect();
        let outcome = rayon::in_place_scope(|scope| {
            for ((number, checkpoints), found) in others.iter().zip(tail).zip(&mut found) {
                scope.spawn(|_| *found = Some(self.alone(*number, checkpoints)));
            }
            leader.train_alone();
            leader.execute(&statements[at + 1..]);
            leader.outcome()
        });
        let seconds = started.elapsed().as_secs_f64();
        let outcome = outcome.map(|outcome| self.tell(*first, seconds, outcome, &mut checkpoints[0]));
        outcome.into_iter().chain(found.into_iter().flatten()).collect()
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
        (self.ended)(number, seconds, &outcome, checkpoints);
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
