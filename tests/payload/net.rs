//! Commands that talk over the network.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long a connection that may not come is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does what `command` names; `None` when it names nothing here.
pub(crate) fn talk(command: &str, rest: &[&str]) -> Option<io::Result<()>> {
    let done = match (command, rest) {
        ("serve-tcp", [port]) => serve(port),
        ("connect", [place]) => connect(place),
        _ => return None,
    };
    Some(done)
}

/// Says `ready`, then greets every client by the address it comes from.
fn serve(port: &str) -> io::Result<()> {
    let port = port.parse().map_err(io::Error::other)?;
    let any: IpAddr = [0, 0, 0, 0].into();
    let listener = TcpListener::bind((any, port))?;
    println!("ready");
    loop {
        let (mut client, from) = listener.accept()?;
        // A client that is gone is no reason to end.
        let _ = writeln!(client, "you are {}", from.ip());
    }
}

/// Prints what a server says.
fn connect(place: &str) -> io::Result<()> {
    let place = place.parse().map_err(io::Error::other)?;
    let mut server = TcpStream::connect_timeout(&place, PATIENCE)?;
    server.set_read_timeout(Some(PATIENCE))?;
    let mut said = String::new();
    server.read_to_string(&mut said)?;
    print!("{said}");
    Ok(())
}
