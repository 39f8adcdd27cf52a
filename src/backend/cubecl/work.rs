//! The work of a program on the device: launches, steps of the host, loops.
//!
//! In: a frame, whose places are known. Out: its pieces of work in order, with their words in the table; and what runs them.

use std::sync::Arc;

use cubecl::prelude::*;

use super::encode::{Member, member, tiles};
use super::fault::Faults;
use super::host::HostStep;
use super::ir::{Common, Form, Forms};
use super::kernel::run;
use super::kernel::tile::{Tiling, tiles as contract};
use super::matmul::{Matmul, plain};
use super::memory::Memory;
use super::place::{DEEPEST, Frame};
use crate::backend::Fault;
use crate::plan::kernel::Kernel;

/// One launch: what its cubes do, where its words are.
pub struct Launch<F> {
    forms: Forms<F>,
    at: u32,
    cubes: u32,
}

pub enum Work {
    Chains(Launch<Form>),
    Contractions(Launch<Tiling>),
    /// CubeK's matmul is asked first.
    Matmul(Box<Matmul>, Launch<Tiling>),
    Host(HostStep),
    Loop {
        rounds: usize,
        reverse: bool,
        depth: usize,
        body: Vec<Work>,
    },
}

/// What a frame runs, level by level.
pub fn works(frame: &Frame, table: &mut Vec<u32>, faults: &mut Faults) -> Vec<Work> {
    let mut found = Vec::new();
    for level in &frame.plan.levels {
        let mut contractions = Vec::new();
        for at in &level.alone {
            found.push(match &frame.plan.kernels[*at] {
                Kernel::Rounds(rounds) => {
                    let body = frame.body(rounds, table);
                    let body = works(&body, table, faults);
                    Work::Loop { rounds: rounds.rounds, reverse: rounds.reverse, depth: frame.depth, body }
                }
                Kernel::Contract(contract) => {
                    let member = tiles(frame, contract, faults);
                    match plain(frame, contract) {
                        Some(matmul) => Work::Matmul(Box::new(matmul), launch(vec![member], table)),
                        None => {
                            contractions.push(member);
                            continue;
                        }
                    }
                }
                kernel => Work::Host(HostStep::new(frame, kernel)),
            });
        }
        if !contractions.is_empty() {
            found.push(Work::Contractions(launch(contractions, table)));
        }
        let members: Vec<Member<Form>> =
            level.chains.iter().map(|chain| member(frame, chain, faults)).collect();
        if !members.is_empty() {
            found.push(Work::Chains(launch(members, table)));
        }
    }
    found
}

/// Members of one form next to each other, and all their words in the table.
pub fn launch<F: Common>(members: Vec<Member<F>>, table: &mut Vec<u32>) -> Launch<F> {
    let mut families: Vec<(F, Vec<Member<F>>)> = Vec::new();
    for member in members {
        match families.iter_mut().find(|(form, _)| *form == member.form) {
            Some((_, members)) => members.push(member),
            None => families.push((member.form.clone(), vec![member])),
        }
    }
    let at = table.len();
    table.resize(at + 3 * families.len(), 0);
    let mut cubes = 0;
    let mut forms = Vec::new();
    for (number, (form, members)) in families.into_iter().enumerate() {
        let head = at + 3 * number;
        table[head] = cubes as u32;
        table[head + 2] = table.len() as u32;
        for mut member in members {
            member.words[1] = cubes as u32;
            cubes += member.cubes;
            member.words[0] = cubes as u32;
            debug_assert_eq!(member.words.len() as u32, member.form.words());
            table.extend(member.words);
        }
        table[head + 1] = cubes as u32;
        forms.push(form);
    }
    Launch { forms: Forms::new(forms), at: at as u32, cubes: cubes as u32 }
}

/// Everything that a piece of work needs.
pub struct Running<'a, R: Runtime> {
    pub client: &'a ComputeClient<R>,
    pub pages: &'a [Arc<Memory<R>>],
    pub table: &'a Memory<R>,
}

impl<R: Runtime> Running<'_, R> {
    pub fn all(&self, work: &mut [Work], rounds: [u32; DEEPEST]) -> Result<(), Fault> {
        for work in work {
            match work {
                Work::Chains(launch) => self.chains(launch, rounds),
                Work::Contractions(launch) => self.contractions(launch, rounds),
                Work::Matmul(matmul, tiles) => {
                    if !matmul.launch(self.client, self.pages, rounds) {
                        self.contractions(tiles, rounds);
                    }
                }
                Work::Host(step) => step.run(self.pages, rounds)?,
                Work::Loop { rounds: count, reverse, depth, body } => {
                    for step in 0..*count {
                        let mut inner = rounds;
                        inner[*depth] = if *reverse { *count - 1 - step } else { step } as u32;
                        self.all(body, inner)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn memory<T: LaunchArg<RuntimeArg<R> = ArrayArg<R>>>(&self) -> SequenceArg<R, T> {
        let mut memory = SequenceArg::new();
        for page in self.pages {
            memory.push(page.argument());
        }
        memory.push(self.table.argument());
        memory
    }

    fn contractions(&self, launch: &Launch<Tiling>, [first, second, third]: [u32; DEEPEST]) {
        if launch.cubes == 0 {
            return;
        }
        // SAFETY: every word of the table that is an address lies in its page: the plan is valid.
        unsafe {
            contract::launch_unchecked::<R>(
                self.client,
                launch.count(),
                CubeDim::new_1d(crate::plan::launch::UNITS as u32),
                self.memory(),
                launch.at,
                first,
                second,
                third,
                launch.forms.clone(),
            );
        }
    }

    fn chains(&self, launch: &Launch<Form>, [first, second, third]: [u32; DEEPEST]) {
        if launch.cubes == 0 {
            return;
        }
        // SAFETY: every word of the table that is an address lies in its page: the plan is valid.
        unsafe {
            run::launch_unchecked::<R>(
                self.client,
                launch.count(),
                CubeDim::new_1d(crate::plan::launch::UNITS as u32),
                self.memory(),
                launch.at,
                first,
                second,
                third,
                launch.forms.clone(),
            );
        }
    }
}

impl<F> Launch<F> {
    fn count(&self) -> CubeCount {
        CubeCount::Static(self.cubes.min(1 << 15), self.cubes.div_ceil(1 << 15), 1)
    }
}
