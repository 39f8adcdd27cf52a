//! Results as one long table: a row for each value of each measure, a column for each axis.
//!
//! Along the rows of a part stand the examples: the numbers, or keys, of the rows in the data set. They are the same in every
//! trial and run, so that values of one example can be paired.

use std::collections::HashMap;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::{Map, Value, json};

use super::stored::{StoredExamples, StoredMeasure, StoredResults};

/// The table.
pub struct Long {
    /// The axes, as columns.
    axes: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    measure: Arc<str>,
    /// A label for each axis of the table; none for one that the measure does not have.
    labels: Vec<Option<Arc<str>>>,
    value: f64,
}

impl Long {
    pub fn new(results: &StoredResults) -> Self {
        let measures = || results.measures.iter().chain(&results.terms);
        let mut axes: Vec<String> = Vec::new();
        for axis in measures().flat_map(|measure| &measure.axes) {
            if !axes.contains(&axis.name) {
                axes.push(axis.name.clone());
            }
        }
        let mut long = Long { axes, rows: Vec::new() };
        measures().for_each(|measure| long.add(measure, &results.examples));
        long
    }

    fn add(&mut self, measure: &StoredMeasure, examples: &[StoredExamples]) {
        let name: Arc<str> = measure.name.as_str().into();
        let labels: Vec<Vec<Arc<str>>> = measure
            .axes
            .iter()
            .map(|axis| axis.labels.iter().map(|label| label.as_str().into()).collect())
            .collect();
        let columns: Vec<usize> = measure
            .axes
            .iter()
            .map(|axis| self.axes.iter().position(|known| *known == axis.name).unwrap_or(0))
            .collect();
        let mut known = Known { measure, examples, found: HashMap::new() };
        for (number, value) in measure.values.iter().enumerate() {
            let mut positions = vec![0; labels.len()];
            let mut rest = number;
            for (position, of) in positions.iter_mut().zip(&labels).rev() {
                *position = rest % of.len();
                rest /= of.len();
            }
            let mut row = vec![None; self.axes.len()];
            for (axis, position) in positions.iter().enumerate() {
                let example = known.example(axis, &positions, *position);
                row[columns[axis]] = Some(example.unwrap_or_else(|| labels[axis][*position].clone()));
            }
            self.rows.push(Row { measure: name.clone(), labels: row, value: *value });
        }
    }

    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let axes = self.axes.iter().map(String::as_str);
        writer.write_record(["measure"].into_iter().chain(axes).chain(["value"]))?;
        for row in &self.rows {
            let labels = row.labels.iter().map(|label| label.as_deref().unwrap_or(""));
            let value = if row.value.is_nan() { String::new() } else { row.value.to_string() };
            writer.write_record([&*row.measure].into_iter().chain(labels).chain([value.as_str()]))?;
        }
        writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }

    /// A list of objects, one a line.
    pub fn json(&self) -> Vec<u8> {
        let object = |row: &Row| {
            let mut object = Map::new();
            object.insert("measure".to_owned(), json!(&*row.measure));
            for (axis, label) in self.axes.iter().zip(&row.labels) {
                if let Some(label) = label {
                    object.insert(axis.clone(), json!(&**label));
                }
            }
            // JSON has no infinities, nor NaN.
            let value = match row.value {
                value if value.is_infinite() => json!(if value > 0.0 { "infinity" } else { "-infinity" }),
                value => json!(value),
            };
            object.insert("value".to_owned(), value);
            Value::Object(object).to_string()
        };
        let rows: Vec<String> = self.rows.iter().map(object).collect();
        format!("[\n{}\n]\n", rows.join(",\n")).into_bytes()
    }

    pub fn parquet(&self) -> Result<Vec<u8>, ParquetError> {
        let text = |name: &str, repetition| {
            Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
                .with_repetition(repetition)
                .with_converted_type(ConvertedType::UTF8)
                .with_logical_type(Some(LogicalType::String))
                .build()
        };
        let mut fields = vec![Arc::new(text("measure", Repetition::REQUIRED)?)];
        for axis in &self.axes {
            fields.push(Arc::new(text(axis, Repetition::OPTIONAL)?));
        }
        let value = Type::primitive_type_builder("value", Physical::DOUBLE);
        fields.push(Arc::new(value.with_repetition(Repetition::REQUIRED).build()?));
        let schema = Type::group_type_builder("results").with_fields(fields).build()?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        let mut column = 0;
        while let Some(mut open) = group.next_column()? {
            if column == 0 {
                let names: Vec<ByteArray> = self.rows.iter().map(|row| (&*row.measure).into()).collect();
                open.typed::<ByteArrayType>().write_batch(&names, None, None)?;
            } else if column <= self.axes.len() {
                let labels = || self.rows.iter().map(|row| row.labels[column - 1].as_deref());
                let present: Vec<ByteArray> = labels().flatten().map(ByteArray::from).collect();
                let levels: Vec<i16> = labels().map(|label| i16::from(label.is_some())).collect();
                open.typed::<ByteArrayType>().write_batch(&present, Some(&levels), None)?;
            } else {
                let values: Vec<f64> = self.rows.iter().map(|row| row.value).collect();
                open.typed::<DoubleType>().write_batch(&values, None, None)?;
            }
            open.close()?;
            column += 1;
        }
        group.close()?;
        writer.close()?;
        Ok(bytes)
    }
}

/// The examples along the axes of one measure, by axis and position on the other axes.
struct Known<'a> {
    measure: &'a StoredMeasure,
    examples: &'a [StoredExamples],
    found: HashMap<(usize, Vec<usize>), Names>,
}

/// The names along an axis, if they are known.
type Names = Option<Vec<Arc<str>>>;

impl Known<'_> {
    fn example(&mut self, axis: usize, positions: &[usize], position: usize) -> Option<Arc<str>> {
        let own = &self.measure.axes[axis];
        if !self.examples.iter().any(|examples| examples.axis == own.name) {
            return None;
        }
        let others: Vec<usize> =
            positions.iter().enumerate().filter(|(at, _)| *at != axis).map(|(_, at)| *at).collect();
        let (measure, examples) = (self.measure, self.examples);
        let rows = self.found.entry((axis, others)).or_insert_with(|| {
            // The trial is one that has the labels of this measure's axes of trials.
            let of = |trial: &Vec<(String, String)>| {
                trial.iter().all(|(name, label)| {
                    let at = measure.axes.iter().position(|axis| axis.name == *name);
                    at.is_none_or(|at| measure.axes[at].labels[positions[at]] == *label)
                })
            };
            let fits = |examples: &&StoredExamples| {
                examples.axis == own.name
                    && examples.rows.len() == own.labels.len()
                    && examples.trials.iter().any(of)
            };
            let rows = examples.iter().find(fits)?;
            Some(rows.rows.iter().map(|row| row.as_str().into()).collect())
        });
        rows.as_ref().and_then(|rows| rows.get(position)).cloned()
    }
}
