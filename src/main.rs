//! The `ketch` executable; everything it does is in the library.

fn main() -> std::process::ExitCode {
    ketch::main()
}
