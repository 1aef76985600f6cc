//! Writes the reference page of all options to standard output: `make options` puts it into `docs/options.md`.

fn main() {
    print!("{}", andon_cli::options_reference());
}
