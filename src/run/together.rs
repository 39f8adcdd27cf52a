//! Trials that have the same program, but for constants, go through their train blocks together, where that is faster.
//!
//! In: trials that differ in no arm. Out: the outcome of each, with the bits that it has alone. The first trial goes
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
use crate::graph::Program;
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
    // Arms make other programs. Numbers are constants of theirs.
    let program = |number: usize| -> Vec<usize> {
        let positions = axes.iter().zip(&trials[number].positions);
        let own = positions.filter(|(axis, _)| matches!(axis.over, Over::Arms(_)));
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
        let together = leader
            .ahead
            .as_ref()
            .map_or(1, |(step, block)| engine.trials_together(step, block.span, 1 + places.len()));
        if together > 1 {
            let mut tail: Vec<Taken> =
                places.filter_map(|place| self.take(place, numbers, &mut attempts)).collect();
            let mut walkers = vec![leader];
            for Taken { number, checkpoints, .. } in &mut tail {
                let mut walker = self.walker(*number, checkpoints);
                walker.execute(&statements[..at]);
                walkers.push(walker);
            }
            self.side_by_side(&mut walkers, &statements[at..], together);
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

    /// Statement by statement, all trials each; in train blocks so many together.
    fn side_by_side(&self, walkers: &mut [Walker<'_, 'p>], statements: &[&'p Statement], together: usize) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Train(train) => {
                    walkers.iter_mut().for_each(|walker| walker.come_to(train, statement.span));
                    self.train(walkers, together);
                }
                _ => walkers.iter_mut().for_each(|walker| walker.execute(&[statement])),
            }
        }
    }

    /// The train block that the trials have come to.
    fn train(&self, walkers: &mut [Walker<'_, 'p>], together: usize) {
        // A block that is the same for some of them is trained once: the others take its state.
        let shared = self.around.shared;
        let block = |walker: &Walker| walker.ahead.as_ref().map(|(_, block)| (block.trial, block.span));
        let is_same = |one: &Walker, other: &Walker| match (block(one), block(other)) {
            (Some((one, span)), Some((other, _))) => shared.is_shared(one, other, span),
            _ => false,
        };
        let waits: Vec<bool> = (0..walkers.len())
            .map(|at| walkers[..at].iter().any(|earlier| is_same(earlier, &walkers[at])))
            .collect();
        self.train_some(walkers, together, &|at| !waits[at]);
        if waits.contains(&true) {
            self.train_some(walkers, together, &|at| waits[at]);
        }
    }

    fn train_some(&self, walkers: &mut [Walker<'_, 'p>], together: usize, are_meant: &dyn Fn(usize) -> bool) {
        let Around { engine, shared, observer } = self.around;
        let mut programs: Vec<Program> = Vec::new();
        let mut members = Vec::new();
        for (place, walker) in walkers.iter_mut().enumerate().filter(|(place, _)| are_meant(*place)) {
            let Some((step, block)) = walker.ahead.take() else { continue };
            let known = programs.iter().position(|known| known.is_same_as(&step.program));
            let program = known.unwrap_or_else(|| {
                programs.push(step.program.clone());
                programs.len() - 1
            });
            let Running { store, checkpoints, .. } = &mut walker.running;
            match training::begin(step, block, engine, store, checkpoints, shared) {
                Ok(begun) => members.push((place, Member { program, begun, block, store, checkpoints })),
                Err(stopped) => walker.stopped = Some(stopped),
            }
        }
        members.sort_by_key(|(_, member)| member.program);
        let (places, mut members): (Vec<usize>, Vec<Member>) = members.into_iter().unzip();
        let tell = |block: TrainBlock, done, steps| {
            observer.training(block.trial, block.number as usize, done, steps);
        };
        let mut have_failed = vec![false; members.len()];
        if members.iter().all(|member| member.begun.from == From::Start) {
            let parts = members.chunks_mut(together).zip(have_failed.chunks_mut(together));
            parts.for_each(|(members, have_failed)| {
                steps_together(&programs, engine, members, have_failed, &tell);
            });
        }
        // What is left of each, in parallel.
        let mut trained: Vec<_> = members.iter().map(|_| None).collect();
        rayon::in_place_scope(|scope| {
            for ((member, has_failed), trained) in members.into_iter().zip(have_failed).zip(&mut trained) {
                let Member { begun, block, store, checkpoints, .. } = member;
                let progress = move |done, steps| tell(block, done, steps);
                if !has_failed {
                    scope.spawn(move |_| {
                        *trained =
                            Some(training::complete(begun, block, store, checkpoints, shared, progress));
                    });
                }
            }
        });
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

/// The steps that these trials can do side by side: all of them or, where their programs differ in more than constants, some.
fn steps_together(
    programs: &[Program],
    engine: &Engine,
    members: &mut [Member],
    have_failed: &mut [bool],
    tell: &dyn Fn(TrainBlock, usize, usize),
) {
    if members.len() < 2 {
        return;
    }
    // What cannot be compiled for all is told by each trial alone.
    match Stacked::new(programs, engine, members).ok().flatten() {
        Some(stacked) => have_failed.fill(stacked.run(members, tell) == Ended::Failed),
        None => {
            let first = members[0].program;
            let alike = members.iter().filter(|member| member.program == first).count();
            let half = if alike < members.len() { alike } else { members.len() / 2 };
            let (some, others) = members.split_at_mut(half);
            let (some_failed, others_failed) = have_failed.split_at_mut(half);
            steps_together(programs, engine, some, some_failed, tell);
            steps_together(programs, engine, others, others_failed, tell);
        }
    }
}
