//! Tables: means with intervals over the axes that are not named.

use super::results::{Cell, ResultAxis, Row, Table};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A quantity to tabulate, row-major in the order of its axes.
pub struct Column {
    pub name: String,
    pub axes: Vec<ResultAxis>,
    pub values: Vec<f64>,
}

/// One row for each combination of the positions of the `by` axes. A column without one of them repeats its value.
pub fn table(columns: &[Column], by: &[String]) -> Table {
    let axis = |name: &String| {
        let found = columns.iter().flat_map(|c| &c.axes).find(|axis| axis.name == *name);
        found.cloned().unwrap_or_else(|| ResultAxis { name: name.clone(), labels: vec!["-".into()] })
    };
    let axes: Vec<ResultAxis> = by.iter().map(axis).collect();
    let count: usize = axes.iter().map(|axis| axis.labels.len()).product();
    let mut rows = Vec::with_capacity(count);
    for number in 0..count {
        let positions = unravel(number, &axes);
        let labels = axes.iter().zip(&positions).map(|(axis, at)| axis.labels[*at].clone()).collect();
        let cells = columns.iter().map(|column| cell(column, &axes, &positions)).collect();
        rows.push(Row { labels, cells });
    }
    Table { by: by.to_vec(), columns: columns.iter().map(|c| c.name.clone()).collect(), rows }
}

/// The position on each axis of the element with that number, row-major.
pub fn unravel(mut number: usize, axes: &[ResultAxis]) -> Vec<usize> {
    let mut positions = vec![0; axes.len()];
    for (at, axis) in axes.iter().enumerate().rev() {
        positions[at] = number % axis.labels.len();
        number /= axis.labels.len();
    }
    positions
}

fn cell(column: &Column, axes: &[ResultAxis], positions: &[usize]) -> Cell {
    let wanted =
        |own: &ResultAxis| axes.iter().position(|axis| axis.name == own.name).map(|at| positions[at]);
    let wanted: Vec<Option<usize>> = column.axes.iter().map(wanted).collect();
    let chosen = column.values.iter().enumerate().filter(|(number, _)| {
        let own = unravel(*number, &column.axes);
        own.iter().zip(&wanted).all(|(at, wanted)| wanted.is_none_or(|w| w == *at))
    });
    summarise(&chosen.map(|(_, value)| *value).filter(|value| !value.is_nan()).collect::<Vec<_>>())
}

/// The mean and the half width of its 95 % interval by the t distribution.
pub fn summarise(values: &[f64]) -> Cell {
    let n = values.len() as f64;
    let mean = if values.is_empty() { f64::NAN } else { values.iter().sum::<f64>() / n };
    if values.len() < 2 {
        return Cell { mean, half_width: None, count: values.len() };
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let quantile = StudentsT::new(0.0, 1.0, n - 1.0).map_or(f64::NAN, |t| t.inverse_cdf(0.975));
    Cell { mean, half_width: Some(quantile * (variance / n).sqrt()), count: values.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(name: &str, labels: &[&str]) -> ResultAxis {
        ResultAxis { name: name.into(), labels: labels.iter().map(|l| l.to_string()).collect() }
    }

    #[test]
    fn cells_are_means_over_the_axes_not_named() {
        let column = Column {
            name: "score".into(),
            axes: vec![axis("Arm", &["a", "b"]), axis("Seed", &["0", "1", "2"])],
            values: vec![1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0],
        };
        let table = table(&[column], &["Arm".to_string()]);
        assert_eq!(table.rows.len(), 2);
        assert_eq!(table.rows[0].labels, ["a"]);
        assert_eq!(table.rows[0].cells[0].mean, 2.0);
        // 4.302653 is the 97.5 % point of t with 2 degrees of freedom; the standard error is 1 / sqrt(3).
        let half = table.rows[0].cells[0].half_width.unwrap();
        assert!((half - 4.302653 / 3f64.sqrt()).abs() < 1e-5, "{half}");
        assert_eq!((table.rows[1].cells[0].mean, table.rows[1].cells[0].count), (5.0, 2));
    }
}
