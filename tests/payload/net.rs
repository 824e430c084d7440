//! Both ends of connections.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// The most that a case waits for an answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Listens on the first port by TCP and on the second by UDP, of every address, says `ready`, and answers each client with
/// the address it comes from.
pub(crate) fn serve(rest: &[&str]) -> io::Result<()> {
    let [first, second] = rest else {
        return Err(io::Error::other("serve TCP-PORT UDP-PORT"));
    };
    let streams = TcpListener::bind(format!("0.0.0.0:{first}"))?;
    let datagrams = UdpSocket::bind(format!("0.0.0.0:{second}"))?;
    println!("ready");
    io::stdout().flush()?;
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

/// Prints what the server at an address says.
pub(crate) fn connect(rest: &[&str]) -> io::Result<()> {
    let address = rest.concat().parse().map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    println!("{text}");
    Ok(())
}

/// Sends a datagram to an address and prints the answer.
pub(crate) fn datagram(rest: &[&str]) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.send_to(b"hello", rest.concat())?;
    let mut buffer = [0; 64];
    let (length, _) = socket.recv_from(&mut buffer)?;
    println!("{}", String::from_utf8_lossy(&buffer[..length]));
    Ok(())
}
