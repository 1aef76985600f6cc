//! Prints the tables of `docs/dispatch.md`: `cargo run --release -p andon-simulator`.

fn main() {
    for (title, text) in andon_simulator::tables::all() {
        println!("## {title}\n{text}");
    }
}
