fn main() {
    println!("ansatz");
}
