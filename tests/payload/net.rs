//! Commands that talk over the network.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// How long a connection that may not come is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does what `command` names; `None` when it names nothing here.
pub(crate) fn talk(command: &str, rest: &[&str]) -> Option<io::Result<()>> {
    let done = match (command, rest) {
        ("serve-tcp", [port]) => serve(port),
        ("connect", [place]) => connect(place),
        ("serve", [streams, datagrams]) => serve_both(streams, datagrams),
        ("datagram", [place]) => datagram(place),
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

/// Says `ready`, then answers every client by TCP and by UDP with the address it comes from.
fn serve_both(streams: &str, datagrams: &str) -> io::Result<()> {
    let streams = TcpListener::bind(format!("0.0.0.0:{streams}"))?;
    let datagrams = UdpSocket::bind(format!("0.0.0.0:{datagrams}"))?;
    println!("ready");
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((_, from)) = datagrams.recv_from(&mut buffer) {
            let _ = datagrams.send_to(from.ip().to_string().as_bytes(), from);
        }
    });
    for stream in streams.incoming() {
        let mut stream = stream?;
        let from = stream.peer_addr()?.ip().to_string();
        let _ = stream.write_all(from.as_bytes());
    }
    Ok(())
}

/// Sends a datagram and prints the answer.
fn datagram(place: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(b"hello", place)?;
    let mut buffer = [0; 64];
    let (length, _) = socket.recv_from(&mut buffer)?;
    println!("{}", String::from_utf8_lossy(&buffer[..length]));
    Ok(())
}
