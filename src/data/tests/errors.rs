//! What the readers say about bad files: one test a code.

use super::*;

fn read(kind: SourceKind, files: &[&[u8]], columns: Vec<ColumnSpec>) -> Checked<Table> {
    load(&schema(kind, &["a", "b", "c"][..files.len()], columns), &memory(files))
}

fn csv_bytes(bytes: &[u8]) -> Checked<Table> {
    read(SourceKind::Csv, &[bytes], vec![float("x")])
}

#[test]
fn a0401_file_not_found() {
    let outcome = load(&schema(SourceKind::Csv, &["digit.csv"], vec![]), &memory(&[]));
    refused(outcome, Code::A0401, &["`digit.csv`", "sample", "folder of the experiment"]);
}

#[test]
fn every_file_that_is_missing_is_reported_at_the_source() {
    let problems = load(&schema(SourceKind::Idx, &["x", "y"], vec![]), &memory(&[])).unwrap_err();
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0].primary.span, span(100));
}

#[test]
fn a0402_outside_the_folder() {
    let outcome = load(&schema(SourceKind::Csv, &["../../Cargo.toml"], vec![]), &disk("tests/data"));
    refused(outcome, Code::A0402, &["outside", "data root"]);
}

#[test]
fn a0403_cannot_be_read() {
    let outcome = load(&schema(SourceKind::Csv, &["data"], vec![]), &disk("tests"));
    refused(outcome, Code::A0403, &["`data` cannot be read"]);
}

#[test]
fn a0404_empty_file() {
    refused(csv_bytes(b""), Code::A0404, &["`a` is empty"]);
}

#[test]
fn a0405_gzip_cut_off_or_damaged() {
    let whole = std::fs::read(disk("tests/data").roots[0].join("fashion10-images-idx3-ubyte.gz")).unwrap();
    refused(csv_bytes(&whole[..whole.len() / 2]), Code::A0405, &["ends too early", "gzip -t"]);
    let mut damaged = whole.clone();
    let end = damaged.len() - 6;
    damaged[end] ^= 0xff;
    refused(csv_bytes(&damaged), Code::A0405, &["is damaged"]);
}

#[test]
fn a0406_no_header() {
    refused(csv_bytes(b"5.1,3.5,0\n4.9,3.0,0\n"), Code::A0406, &["(5.1, 3.5, 0)", "add a first line"]);
    // Numbers that are asked for by name are names.
    let sensors = read_csv("773869,767541\n64.4,67.6\n", vec![from_header(float("speed"), "767541")]);
    assert_eq!(sensors.unwrap().rows, 1);
}

#[test]
fn a0407_binary_and_other_encodings() {
    refused(csv_bytes(b"PK\x03\x04\0\0x\n"), Code::A0407, &["zero byte", "spreadsheet"]);
    refused(csv_bytes(b"x\n1\ncaf\xe9\n"), Code::A0407, &["line 3 is not UTF-8", "iconv"]);
    refused(csv_bytes(b"\xff\xfex\0"), Code::A0407, &["UTF-16"]);
}

#[test]
fn a0408_wrong_number_of_fields() {
    let outcome = csv_bytes(b"x,y\n1,2\n1,2,3\n1\n");
    refused(outcome, Code::A0408, &["line 3", "has 3 fields", "header has 2", "and 1 more"]);
}

#[test]
fn a0409_duplicate_header() {
    refused(csv_bytes(b"x,y,x\n1,2,3\n"), Code::A0409, &["`x`", "column 1 and column 3"]);
    let outcome = read(SourceKind::Csv, &[b"x\n1\n", b"x\n2\n"], vec![float("x")]);
    refused(outcome, Code::A0409, &["`x` is in `a` and in `b`"]);
}

#[test]
fn a0410_not_finite() {
    refused(csv_bytes(b"x\n1\nnan\n"), Code::A0410, &["`nan`", "line 3", "column `x`"]);
    refused(csv_bytes(b"x\n-inf\ninf\n"), Code::A0410, &["infinite", "and 1 more"]);
    refused(csv_bytes(b"x\n1e60\n"), Code::A0410, &["too large for a 32-bit number"]);
}

#[test]
fn a0411_missing_value() {
    let outcome = read_csv("x,y\n1,2\n,3\nNA,4\n", vec![float("x")]);
    refused(outcome, Code::A0411, &["line 3", "column `x`", "1 more", "missing 0", "missing drop"]);
    refused(read_csv("k,y\n,3\n", vec![category("k", "K", Domain::Found)]), Code::A0411, &["line 2"]);
}

#[test]
fn a0412_index_out_of_range() {
    let column = || vec![category("x", "Bucket", Domain::Size(128))];
    refused(
        read_csv("x\n127\n128\n", column()),
        Code::A0412,
        &["`128`", "line 3", "0 to 127", "larger size"],
    );
    refused(read_csv("x\n-1\n", column()), Code::A0412, &["`-1`"]);
    refused(read_csv("x\nred\n", column()), Code::A0412, &["`red`", "whole numbers"]);
}

#[test]
fn a0413_not_a_boolean() {
    let outcome = read_csv("x\nTRUE\nNo\nspam\n", vec![boolean("x")]);
    refused(outcome, Code::A0413, &["`spam`", "line 4", "0/1, true/false or yes/no"]);
}

#[test]
fn a0414_groups_missing_or_with_gaps() {
    let column = || vec![over(float("f"), &["Slot"])];
    refused(read_csv("f_0,f_2\n1,2\n", column()), Code::A0414, &["gap", "0 is followed by 2"]);
    refused(read_csv("f_2,f_3\n1,2\n", column()), Code::A0414, &["start at number 2"]);
    refused(read_csv("f_1,f_01\n1,2\n", column()), Code::A0414, &["the number 1"]);
    refused(read_csv("f,y\n1,2\n", column()), Code::A0414, &["one column `f`"]);
    let wrong = vec![over(float("featur"), &["Slot"])];
    refused(read_csv("feature_0,y\n1,2\n", wrong), Code::A0414, &["did you mean the columns `feature...`"]);
    let other = vec![over(float("pixel"), &["Pixel"])];
    refused(read_csv("p0,p1,label\n1,2,0\n", other), Code::A0414, &["`pixel: ... = \"p\"`"]);
}

#[test]
fn a0415_not_a_number() {
    let outcome = read_csv("x,y\n1,2\n1,\"3,5\"\n", vec![float("y")]);
    refused(outcome, Code::A0415, &["`3,5`", "line 3", "column `y`", "decimal point"]);
    refused(csv_bytes(b"x\nred\n"), Code::A0415, &["`red`", "category"]);
}

#[test]
fn a0416_no_such_column() {
    let outcome = read_csv("label,y\n1,2\n", vec![boolean("lable")]);
    refused(outcome, Code::A0416, &["`lable`", "did you mean `label`"]);
    refused(read_csv("a,b\n1,2\n", vec![float("zebra")]), Code::A0416, &["the columns are `a`, `b`"]);
    refused(read_csv("f_0,f_1\n1,2\n", vec![float("f")]), Code::A0416, &["[Slot]"]);
    let archive = load(&schema(SourceKind::Npz, &["three.npz"], vec![boolean("kept")]), &disk("tests/data"));
    refused(archive, Code::A0416, &["did you mean `keep`"]);
}

#[test]
fn all_missing_columns_are_reported_together() {
    let problems = read_csv("a\n1\n", vec![float("x"), over(float("y"), &["S"]), float("a")]).unwrap_err();
    assert_eq!(problems.iter().map(|p| p.code).collect::<Vec<_>>(), [Code::A0416, Code::A0414]);
}

#[test]
fn a0417_files_of_different_lengths() {
    let outcome = read(SourceKind::Csv, &[b"x\n1\n2\n", b"y\n1\n"], vec![float("x"), float("y")]);
    refused(outcome, Code::A0417, &["`a` has 2 rows and `b` has 1"]);
}

#[test]
fn a0418_not_idx_or_cut_off() {
    let parse = |bytes: &[u8]| read(SourceKind::Idx, &[bytes], vec![float("x")]);
    refused(parse(b"x,y\n1,2\n"), Code::A0418, &["78 2c 79 0a", "`csv`"]);
    refused(parse(&[0, 0, 7, 1, 0, 0, 0, 1, 9]), Code::A0418, &["0x07"]);
    refused(parse(&[0, 0, 8, 3, 0, 0]), Code::A0418, &["header of 3 dimensions"]);
    refused(
        parse(&[0, 0, 8, 1, 0, 0, 0, 5, 1, 2]),
        Code::A0418,
        &["takes 5 bytes", "2 bytes follow", "cut off"],
    );
    refused(parse(&[0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), Code::A0418, &["holds more"]);
    let huge = [&[0, 0, 14, 4][..], &[0xff; 16], &[1]].concat();
    refused(parse(&huge), Code::A0418, &["more than any file can hold"]);
}

#[test]
fn a0419_not_numpy() {
    refused(read(SourceKind::Npy, &[b"x\n1\n"], vec![float("x")]), Code::A0419, &["numpy.save"]);
    refused(read(SourceKind::Npz, &[b"x\n1\n"], vec![float("x")]), Code::A0419, &["archive"]);
    let whole = std::fs::read(disk("tests/data").roots[0].join("f4.npy")).unwrap();
    let column = || vec![over(float("x"), &["A"])];
    refused(
        read(SourceKind::Npy, &[&whole[..whole.len() - 3]], column()),
        Code::A0419,
        &["[2, 3]", "21 bytes"],
    );
    refused(read(SourceKind::Npy, &[&whole[..20]], column()), Code::A0419, &["cut off"]);
}

#[test]
fn a0420_unsupported_elements() {
    let outcome = load(&schema(SourceKind::Npy, &["text.npy"], vec![text("x")]), &disk("tests/data"));
    refused(outcome, Code::A0420, &["`<U1`", "astype"]);
}

#[test]
fn a0421_shapes_that_do_not_fit() {
    let four = |column| load(&schema(SourceKind::Npy, &["f4.npy"], vec![column]), &disk("tests/data"));
    refused(four(float("x")), Code::A0421, &["[2, 3]", "1 more"]);
    refused(four(sized(float("x"), &[("A", 4)])), Code::A0421, &["declared with 4", "3 positions"]);
    let wrong = vec![sized(float("f"), &[("A", 2), ("B", 2)])];
    refused(read_csv("f_0,f_1,f_2\n1,2,3\n", wrong), Code::A0421, &["3 numbered columns", "make 4"]);
}

#[test]
fn a0422_an_axis_with_two_sizes() {
    let columns = vec![over(float("f"), &["S"]), sized(float("g"), &[("S", 3)])];
    refused(
        read_csv("f_0,f_1,g_0,g_1,g_2\n1,2,3,4,5\n", columns),
        Code::A0422,
        &["3 positions", "and 2 elsewhere"],
    );
}

#[test]
fn a0423_columns_and_files() {
    let file: &[u8] = &[0, 0, 8, 1, 0, 0, 0, 1, 1];
    refused(
        read(SourceKind::Idx, &[file], vec![float("x"), float("y")]),
        Code::A0423,
        &["1 array files for 2"],
    );
}

#[test]
fn a0424_not_a_listed_value() {
    let column = category("x", "Colour", Domain::Listed(vec!["red".into(), "green".into()]));
    refused(
        read_csv("x\nred\ngren\n", vec![column]),
        Code::A0424,
        &["`gren`", "line 3", "did you mean `green`"],
    );
}

#[test]
fn a0425_no_rows() {
    refused(csv_bytes(b"x\n"), Code::A0425, &["no rows"]);
    refused(read_csv("x,y\n,1\n", vec![missing(float("x"), Missing::Drop)]), Code::A0425, &["none is left"]);
    refused(read(SourceKind::Idx, &[&[0, 0, 8, 1, 0, 0, 0, 0]], vec![float("x")]), Code::A0425, &["no rows"]);
}

#[test]
fn a0426_kinds_that_arrays_cannot_hold() {
    let four = |column| {
        let column = over(column, &["A"]);
        load(&schema(SourceKind::Npy, &["f4.npy"], vec![column]), &disk("tests/data"))
    };
    refused(four(text("x")), Code::A0426, &["text"]);
    refused(four(category("x", "K", Domain::Found)), Code::A0426, &["integers"]);
    refused(four(boolean("x")), Code::A0413, &["2 at position [0, 2]"]);
}
