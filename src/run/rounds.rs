//! `repeat Round = 5 { .. }` in a trial: its statements once a round, its measures side by side.

use super::trial::{Found, FoundAxis, Running, Stopped};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::elaborate::VaryBinding;
use crate::syntax::ast::{Expr, Name, Statement};

impl<'p> Running<'_, 'p> {
    pub(super) fn rounds(
        &mut self,
        axis: Option<&'p Name>,
        count: &'p Expr,
        body: &'p [Statement],
    ) -> Result<(), Stopped> {
        let number = self.scope.number(count)?;
        if number < 1.0 || number.fract() != 0.0 || number > 1e6 {
            return Err(Stopped::Wrong(vec![
                Diagnostic::error(Code::A0504, count.span, format!("there cannot be {number} rounds"))
                    .help("write a whole number from 1"),
            ]));
        }
        let before = std::mem::take(&mut self.outcome.measures);
        let mut rounds = Vec::new();
        for round in 0..number as usize {
            self.enter_round(axis, round);
            for statement in body {
                self.execute(statement)?;
                if self.outcome.diverged.is_some() {
                    break;
                }
            }
            rounds.push(std::mem::take(&mut self.outcome.measures));
            if self.outcome.diverged.is_some() {
                break;
            }
        }
        self.scope.prefix.clear();
        self.outcome.measures = before;
        self.stack(axis, rounds)
    }

    /// Names the round; everything random in it is drawn for it alone.
    pub(super) fn enter_round(&mut self, axis: Option<&Name>, round: usize) {
        let Some(axis) = axis else { return };
        if let Some(id) = self.base.program.axes_at.get(&axis.span) {
            self.scope.bind_vary(*id, VaryBinding::Number(round as f64));
        }
        self.scope.prefix = vec![format!("{}.{round}", axis.text)];
    }

    /// One array for each measure, rounds slowest.
    fn stack(&mut self, axis: Option<&Name>, rounds: Vec<Vec<Found>>) -> Result<(), Stopped> {
        let id = axis.and_then(|axis| self.base.program.axes_at.get(&axis.span)).copied();
        let of_rounds = FoundAxis {
            id,
            name: axis.map_or_else(String::new, |axis| axis.text.clone()),
            size: rounds.len(),
            labels: None,
        };
        let mut stacked: Vec<Found> = Vec::new();
        for found in rounds.into_iter().flatten() {
            match stacked.iter_mut().find(|known| known.is(&found)) {
                None => {
                    let axes = std::iter::once(of_rounds.clone()).chain(found.axes).collect();
                    stacked.push(Found { axes, ..found });
                }
                Some(known) if known.axes[1..] == found.axes[..] => known.values.extend(found.values),
                Some(known) => {
                    let sizes = |axes: &[FoundAxis]| {
                        let sizes = axes.iter().map(|axis| format!("{} = {}", axis.name, axis.size));
                        sizes.collect::<Vec<_>>().join(", ")
                    };
                    let message = format!(
                        "in one round this has {}, in another {}",
                        sizes(&known.axes[1..]),
                        sizes(&found.axes)
                    );
                    return Err(Stopped::Wrong(vec![
                        Diagnostic::error(Code::A0438, found.name, message)
                            .label("not one array over the rounds")
                            .help("reduce it over the axis whose size changes, for example with `mean`"),
                    ]));
                }
            }
        }
        self.outcome.measures.extend(stacked);
        Ok(())
    }
}
