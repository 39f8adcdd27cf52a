//! What the readers make of good files.

use std::io::Write;

use super::*;
use crate::graph::tensor::Tensor;

#[test]
fn csv_gives_typed_columns_in_the_order_of_the_schema() {
    let table = read_csv(
        "\u{feff}name,x,ok,colour\n\"Smith, J\",1.5, yes,red\n Ann,-2e3,0,green\n",
        vec![text("name"), boolean("ok"), float("x"), category("colour", "Colour", Domain::Found)],
    )
    .unwrap();
    assert_eq!(table.rows, 2);
    assert_eq!(table.text("name").unwrap().values, ["Smith, J", " Ann"]);
    assert_eq!(table.column("ok").unwrap().tensor, Tensor::Bool(vec![1, 0]));
    assert_eq!(table.column("x").unwrap().tensor, Tensor::F32(vec![1.5, -2000.0]));
    assert_eq!(table.column("colour").unwrap().as_index(), Some([1, 0].as_slice()));
    assert_eq!(table.category("Colour").unwrap().values, ["green", "red"]);
}

#[test]
fn categories_do_not_depend_on_the_order_of_rows() {
    let read = |rows: &str| {
        let table = read_csv(&format!("k\n{rows}"), vec![category("k", "K", Domain::Found)]).unwrap();
        table.categories[0].values.clone()
    };
    assert_eq!(read("item10\n10\nitem2\n-1\n2\nb\n"), ["-1", "2", "10", "b", "item2", "item10"]);
    assert_eq!(read("b\n2\nitem2\nitem10\n-1\n10\n"), read("item10\n10\nitem2\n-1\n2\nb\n"));
}

#[test]
fn groups_gather_numbered_columns_in_the_order_of_numbers() {
    for header in ["f_1,f_0,f_2", "f1,f0,f2", "f[2],f[1],f[3]", "f.01,f.00,f.02"] {
        let table =
            read_csv(&format!("{header}\n1,0,2\n4,3,5\n"), vec![over(float("f"), &["Slot"])]).unwrap();
        let column = table.column("f").unwrap();
        assert_eq!(column.tensor, Tensor::F32(vec![0., 1., 2., 3., 4., 5.]), "{header}");
        assert_eq!(column.inner, ["Slot"]);
        assert_eq!(table.group("Slot").unwrap().size, 3);
    }
}

#[test]
fn a_group_may_have_several_axes_and_another_name_in_the_file() {
    let column = from_header(over(float("pixel"), &["Row", "Col"]), "p");
    let mut column_sized = column.clone();
    column_sized.inner[0].size = Some(2);
    let content = "p0,p1,p2,p3,p4,p5\n0,1,2,3,4,5\n";
    let table = read_csv(content, vec![column_sized]).unwrap();
    assert_eq!(table.group("Row").unwrap().size, 2);
    assert_eq!(table.group("Col").unwrap().size, 3);
    refused(read_csv(content, vec![column]), Code::A0421, &["Row and Col", "declare all but one"]);
}

#[test]
fn columns_that_name_one_axis_share_its_values() {
    let table = read_csv(
        "w_0,w_1,head\nthe,cat,cat\na,the,dog\n",
        vec![over(category("w", "Word", Domain::Found), &["Slot"]), category("head", "Word", Domain::Found)],
    )
    .unwrap();
    assert_eq!(table.categories.len(), 1);
    assert_eq!(table.category("Word").unwrap().values, ["a", "cat", "dog", "the"]);
    assert_eq!(table.column("w").unwrap().tensor, Tensor::Index(vec![3, 1, 0, 3]));
    assert_eq!(table.column("head").unwrap().tensor, Tensor::Index(vec![1, 2]));
}

#[test]
fn a_declared_size_or_list_of_values_is_kept() {
    let table = read_csv(
        "b,c\n7,low\n0,high\n",
        vec![
            category("b", "Bucket", Domain::Size(128)),
            category("c", "Level", Domain::Listed(vec!["low".into(), "mid".into(), "high".into()])),
        ],
    )
    .unwrap();
    let bucket = table.category("Bucket").unwrap();
    assert_eq!((bucket.size, bucket.label(7)), (128, "7".to_string()));
    assert_eq!(table.column("b").unwrap().as_index(), Some([7, 0].as_slice()));
    assert_eq!(table.column("c").unwrap().as_index(), Some([0, 2].as_slice()));
    assert_eq!(table.category("Level").unwrap().size, 3);
}

#[test]
fn missing_values_are_filled_or_their_rows_dropped() {
    let content = "x,k,y\n1,,10\nNA,b,20\n3,c,30\n";
    let fill = |column, value: &str| missing(column, Missing::Fill(value.into()));
    let table = read_csv(
        content,
        vec![fill(float("x"), "-1"), fill(category("k", "K", Domain::Found), "unknown"), float("y")],
    )
    .unwrap();
    assert_eq!(table.column("x").unwrap().tensor, Tensor::F32(vec![1., -1., 3.]));
    assert_eq!(table.category("K").unwrap().values, ["b", "c", "unknown"]);
    let table = read_csv(content, vec![missing(float("x"), Missing::Drop), float("y")]).unwrap();
    assert_eq!(table.rows, 2);
    assert_eq!(table.column("y").unwrap().tensor, Tensor::F32(vec![10., 30.]));
}

#[test]
fn a_quote_in_a_tsv_file_is_a_character() {
    let files = memory(&[b"word\ttag\n\"\tO\nan \"x\tB\n"]);
    let table = load(&schema(SourceKind::Tsv, &["a"], vec![text("word")]), &files).unwrap();
    assert_eq!(table.texts[0].values, ["\"", "an \"x"]);
}

#[test]
fn files_of_one_data_set_are_joined_by_row() {
    let files = memory(&[b"x\n1\n2\n", b"y\n3\n4\n"]);
    let table = load(&schema(SourceKind::Csv, &["a", "b"], vec![float("y"), float("x")]), &files).unwrap();
    assert_eq!(table.column("y").unwrap().tensor, Tensor::F32(vec![3., 4.]));
    assert_eq!(table.column("x").unwrap().tensor, Tensor::F32(vec![1., 2.]));
}

#[test]
fn gzip_is_read_transparently_and_hashes_like_its_content() {
    let content = b"x\n1\n2\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    let packed = encoder.finish().unwrap();
    let read =
        |bytes: &[u8]| load(&schema(SourceKind::Csv, &["a"], vec![float("x")]), &memory(&[bytes])).unwrap();
    assert_eq!(read(&packed).hash, read(content).hash);
    assert_eq!(read(&packed).columns[0].tensor, read(content).columns[0].tensor);
    assert_ne!(read(b"x\n1\n3\n").hash, read(content).hash);
}

#[test]
fn the_digits_of_the_experiments() {
    let columns = vec![
        from_header(sized(float("pixel"), &[("Height", 8), ("Width", 8)]), "p"),
        category("label", "Digit", Domain::Found),
    ];
    let table = load(&schema(SourceKind::Csv, &["digits.csv"], columns), &disk("experiments/data")).unwrap();
    assert_eq!(table.rows, 1797);
    let Tensor::F32(pixels) = &table.column("pixel").unwrap().tensor else { panic!("not Float") };
    assert_eq!(pixels.len(), 1797 * 64);
    assert_eq!(pixels[..8], [0., 0., 5., 13., 9., 1., 0., 0.]);
    assert!(pixels.iter().all(|p| (0.0..=16.0).contains(p)));
    let digits: Vec<String> = (0..10).map(|d| d.to_string()).collect();
    assert_eq!(table.category("Digit").unwrap().values, digits);
    let zeros = table.column("label").unwrap().as_index().unwrap().iter().filter(|l| **l == 0).count();
    assert_eq!(zeros, 178);
}

#[test]
fn the_tokens_of_the_experiments() {
    let columns = vec![
        category("sentence", "Sentence", Domain::Found),
        over(category("feature", "Bucket", Domain::Size(128)), &["Slot"]),
        boolean("entity"),
        boolean("person"),
    ];
    let table =
        load(&schema(SourceKind::Tsv, &["hironsan.tsv"], columns), &disk("experiments/data")).unwrap();
    assert_eq!(table.rows, 15520);
    assert_eq!(table.category("Sentence").unwrap().size, 500);
    assert_eq!(table.group("Slot").unwrap().size, 9);
    assert_eq!(table.column("feature").unwrap().tensor.len(), 15520 * 9);
    let positives = |name: &str| table.column(name).unwrap().tensor.to_f64().iter().sum::<f64>();
    assert_eq!((positives("entity"), positives("person")), (15520.0 - 12958.0, 289.0));
}

#[test]
fn idx_images_with_labels() {
    let paths = ["fashion10-images-idx3-ubyte.gz", "fashion10-labels-idx1-ubyte.gz"];
    let columns =
        vec![over(float("image"), &["Height", "Width"]), category("label", "Class", Domain::Size(10))];
    let table = load(&schema(SourceKind::Idx, &paths, columns), &disk("tests/data")).unwrap();
    assert_eq!(table.rows, 10);
    assert_eq!(
        table.groups.iter().map(|g| (g.name.as_str(), g.size)).collect::<Vec<_>>(),
        [("Height", 28), ("Width", 28)]
    );
    let image = table.column("image").unwrap().tensor.to_f64();
    assert_eq!(image.len(), 7840);
    assert_eq!(image.iter().sum::<f64>(), 445_876.0);
    assert_eq!(image[..784].iter().sum::<f64>(), 33_456.0);
    assert_eq!(table.column("label").unwrap().as_index().unwrap(), [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
}

#[test]
fn arrays_written_by_numpy() {
    let read = |path: &str, column: ColumnSpec| {
        let table = load(&schema(SourceKind::Npy, &[path], vec![column]), &disk("tests/data")).unwrap();
        table.columns[0].tensor.clone()
    };
    assert_eq!(read("f4.npy", over(float("x"), &["A"])), Tensor::F32(vec![0., 1., 2., 3., 4., 5.]));
    let twelve = Tensor::F32((0..12u8).map(f32::from).collect());
    assert_eq!(read("f8_fortran.npy", over(float("x"), &["A", "B"])), twelve);
    assert_eq!(read("i8.npy", category("x", "K", Domain::Found)), Tensor::Index(vec![1, 0]));
    assert_eq!(read("i2_big.npy", float("x")), Tensor::F32(vec![-3., 300.]));
    assert_eq!(read("f2.npy", float("x")), Tensor::F32(vec![0.5, -2.]));
    assert_eq!(read("bool.npy", boolean("x")), Tensor::Bool(vec![1, 0]));
}

#[test]
fn archives_written_by_numpy() {
    let columns = vec![
        category("y", "K", Domain::Size(2)),
        over(from_header(float("features"), "x"), &["F"]),
        boolean("keep"),
    ];
    let table = load(&schema(SourceKind::Npz, &["three.npz"], columns), &disk("tests/data")).unwrap();
    assert_eq!(table.rows, 2);
    assert_eq!(table.column("y").unwrap().as_index(), Some([1, 0].as_slice()));
    assert_eq!(table.column("features").unwrap().tensor, Tensor::F32(vec![0., 1., 2., 3., 4., 5.]));
    assert_eq!(table.column("keep").unwrap().tensor, Tensor::Bool(vec![1, 0]));
}

#[test]
fn a_category_axis_may_also_be_an_inner_axis_of_that_size() {
    let columns = || vec![category("label", "Class", Domain::Found), over(float("p"), &["Class"])];
    let table = read_csv("label,p_0,p_1\na,0.2,0.8\nb,0.6,0.4\n", columns()).unwrap();
    assert_eq!(table.group("Class").unwrap().size, table.category("Class").unwrap().size);
    refused(read_csv("label,p_0,p_1\na,0.2,0.8\na,0.6,0.4\n", columns()), Code::A0422, &["Class"]);
}
