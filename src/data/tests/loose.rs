//! JSON Lines, plain text and safetensors.

use super::*;
use crate::data::schema::Piece;
use crate::graph::tensor::Tensor;

fn read(kind: SourceKind, content: &[u8], columns: Vec<ColumnSpec>) -> Checked<Table> {
    load(&schema(kind, &["a"], columns), &memory(&[content]))
}

fn jsonl(content: &str, columns: Vec<ColumnSpec>) -> Checked<Table> {
    read(SourceKind::Jsonl, content.as_bytes(), columns)
}

#[test]
fn a_member_of_an_object_is_a_field() {
    let table = jsonl(
        "{\"x\": 1.5, \"ok\": true, \"user\": {\"name\": \"Ann\"}, \"colour\": \"red\"}\n\n{\"colour\": \"blue\", \"x\": 2, \"ok\": false, \"user\": {\"name\": \"\"}}\n",
        vec![float("x"), boolean("ok"), from_header(text("who"), "user.name"), category("colour", "C", Domain::Found)],
    )
    .unwrap();
    assert_eq!(table.column("x").unwrap().tensor, Tensor::F32(vec![1.5, 2.0]));
    assert_eq!(table.column("ok").unwrap().tensor, Tensor::Bool(vec![1, 0]));
    assert_eq!(table.text("who").unwrap().values, ["Ann", ""]);
    assert_eq!(table.column("colour").unwrap().as_index(), Some([1, 0].as_slice()));
}

#[test]
fn a_list_is_an_array_and_a_short_one_has_missing_ends() {
    let content = "{\"w\": [\"a\", \"b\", \"a\"]}\n{\"w\": []}\n{\"w\": [\"b\"]}\n";
    let words = || over(category("w", "Word", Domain::Found), &["Slot"]);
    let length = from_header(float("n"), "w.length");
    let table = jsonl(content, vec![missing(words(), Missing::Fill("-".into())), length]).unwrap();
    assert_eq!(table.category("Word").unwrap().values, ["-", "a", "b"]);
    assert_eq!(table.column("w").unwrap().tensor, Tensor::Index(vec![1, 2, 1, 0, 0, 0, 2, 0, 0]));
    assert_eq!(table.column("n").unwrap().tensor, Tensor::F32(vec![3.0, 0.0, 1.0]));
    refused(jsonl(content, vec![words()]), Code::A0411, &["line 2", "`w[0]`"]);
}

#[test]
fn lists_of_lists_are_read_row_by_row() {
    let table =
        jsonl("{\"m\": [[1, 2], [3, 4]]}\n", vec![sized(float("m"), &[("Row", 2), ("Column", 2)])]).unwrap();
    assert_eq!(table.column("m").unwrap().tensor, Tensor::F32(vec![1., 2., 3., 4.]));
    refused(
        jsonl("{\"m\": [[1, 2], [3]]}\n", vec![over(float("m"), &["Row"])]),
        Code::A0440,
        &["line 1", "`m`"],
    );
    refused(jsonl("{\"m\": [1, [3]]}\n", vec![over(float("m"), &["Row"])]), Code::A0440, &["line 1"]);
}

#[test]
fn each_element_of_a_list_may_be_a_row() {
    let content = "{\"id\": \"p\", \"w\": [\"a\", \"b\"]}\n{\"id\": \"q\", \"w\": []}\n{\"id\": \"r\", \"w\": [\"b\"]}\n";
    let columns = vec![
        category("w", "Word", Domain::Found),
        category("id", "Id", Domain::Found),
        from_header(float("parent"), "w.row"),
        from_header(float("place"), "w.position"),
    ];
    let mut wanted = schema(SourceKind::Jsonl, &["a"], columns);
    wanted.source.each = Some("w".into());
    let table = load(&wanted, &memory(&[content.as_bytes()])).unwrap();
    assert_eq!(table.column("w").unwrap().as_index(), Some([0, 1, 1].as_slice()));
    assert_eq!(table.category("Id").unwrap().values, ["p", "r"]);
    assert_eq!(table.column("parent").unwrap().tensor, Tensor::F32(vec![0., 0., 2.]));
    assert_eq!(table.column("place").unwrap().tensor, Tensor::F32(vec![0., 1., 0.]));
    wanted.source.each = Some("v".into());
    refused(load(&wanted, &memory(&[content.as_bytes()])), Code::A0416, &["`v`", "its lists are `w`"]);
}

#[test]
fn elements_that_are_objects_bring_their_members() {
    let content = "{\"id\": 1, \"turn\": [{\"who\": \"a\", \"n\": 3}, {\"who\": \"b\", \"n\": 4}]}\n";
    let columns = vec![from_header(float("n"), "turn.n"), float("id")];
    let mut wanted = schema(SourceKind::Jsonl, &["a"], columns);
    wanted.source.each = Some("turn".into());
    let table = load(&wanted, &memory(&[content.as_bytes()])).unwrap();
    assert_eq!(table.column("n").unwrap().tensor, Tensor::F32(vec![3., 4.]));
    assert_eq!(table.column("id").unwrap().tensor, Tensor::F32(vec![1., 1.]));
}

#[test]
fn wrong_lines_are_named() {
    refused(jsonl("{\"x\": 1}\n{\"x\": \n", vec![float("x")]), Code::A0440, &["line 2", "not JSON"]);
    refused(jsonl("[{\"x\": 1}]\n", vec![float("x")]), Code::A0440, &["line 1", "no object"]);
    refused(jsonl("{\"x\": 1}\n{}\n", vec![float("x")]), Code::A0411, &["line 2"]);
    refused(jsonl("{\"x\": [1, 2]}\n", vec![float("x")]), Code::A0416, &["give it an axis"]);
    refused(jsonl("{\"y\": 1}\n", vec![float("x")]), Code::A0416, &["`x`"]);
}

#[test]
fn a_row_of_plain_text_is_a_line_a_word_or_a_character() {
    let mut wanted = schema(SourceKind::Text, &["a"], vec![category("w", "Word", Domain::Found)]);
    let content: &[u8] = b"to be or\n\nnot to be\n";
    wanted.source.rows = Piece::Words;
    let table = load(&wanted, &memory(&[content])).unwrap();
    assert_eq!(table.category("Word").unwrap().values, ["be", "not", "or", "to"]);
    assert_eq!(table.column("w").unwrap().as_index(), Some([3, 0, 2, 1, 3, 0].as_slice()));
    wanted.source.rows = Piece::Characters;
    let table = load(&wanted, &memory(&[b"ab a\n"])).unwrap();
    assert_eq!(table.category("Word").unwrap().values, ["a", "b", "newline", "space"]);
    assert_eq!(table.rows, 5);
    wanted.source.rows = Piece::Lines;
    wanted.columns =
        vec![text("w"), missing(over(category("c", "C", Domain::Found), &["P"]), Missing::Fill(".".into()))];
    let table = load(&wanted, &memory(&[b"ab\nb\n"])).unwrap();
    assert_eq!(table.text("w").unwrap().values, ["ab", "b"]);
    assert_eq!(table.column("c").unwrap().tensor, Tensor::Index(vec![1, 2, 2, 0]));
    wanted.columns = vec![boolean("b")];
    refused(load(&wanted, &memory(&[b"1\n"])), Code::A0441, &["`b`"]);
}

/// A safetensors file of two arrays: `x`, F32 [2, 2], and `y`, I64 [2].
pub fn tensors() -> Vec<u8> {
    let header = br#"{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"y":{"dtype":"I64","shape":[2],"data_offsets":[16,32]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend([1f32, 2., 3., 4.].iter().flat_map(|x| x.to_le_bytes()));
    bytes.extend([7i64, 5].iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

#[test]
fn arrays_of_safetensors_are_found_by_name() {
    let columns = || vec![category("y", "Y", Domain::Found), over(float("x"), &["D"])];
    let table = read(SourceKind::Safetensors, &tensors(), columns()).unwrap();
    assert_eq!(table.column("x").unwrap().tensor, Tensor::F32(vec![1., 2., 3., 4.]));
    assert_eq!(table.column("y").unwrap().as_index(), Some([1, 0].as_slice()));
    refused(read(SourceKind::Safetensors, &tensors()[..60], columns()), Code::A0442, &["not a whole"]);
    refused(read(SourceKind::Safetensors, &tensors(), vec![float("z")]), Code::A0416, &["`z`"]);
}
