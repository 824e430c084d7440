//! Commands that talk over the network.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// How long a connection that may not come is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does what `command` names; `None` when it names nothing here.
pub(crate) fn talk(command: &str, rest: &[&str]) -> Option<io::Result<()>> {
    let done = match (command, rest) {
        ("serve-tcp", [port]) => serve(port),
        ("connect", [place]) => connect(place),
        ("serve", [streams, datagrams]) => serve_both(streams, datagrams),
        ("datagram", [place]) => datagram(place),
        ("look-up", [name]) => look_up(name),
        ("mill", [port]) => mill(port),
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

/// Asks the resolver in `/etc/resolv.conf` for the IPv4 address of a name; prints the code of the
/// answer and the last address.
fn look_up(name: &str) -> io::Result<()> {
    let text = std::fs::read_to_string("/etc/resolv.conf")?;
    let server = text
        .lines()
        .find_map(|line| line.strip_prefix("nameserver "));
    let server = server.ok_or_else(|| io::Error::other("no resolver"))?;
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send_to(&query, format!("{}:53", server.trim()))?;
    let mut answer = [0; 512];
    let (length, _) = socket.recv_from(&mut answer)?;
    let code = answer[3] & 15;
    match answer[7] {
        0 => println!("{code}"),
        _ => {
            let ip: Vec<String> = answer[length - 4..length]
                .iter()
                .map(u8::to_string)
                .collect();
            println!("{code} {}", ip.join("."));
        }
    }
    Ok(())
}

/// Says `ready`, then takes from each client in turn, or gives it, as many bytes as it names; the
/// digest of them all comes behind. `transfer.rs` is the other side.
fn mill(port: &str) -> io::Result<()> {
    let listener = TcpListener::bind(format!("0.0.0.0:{port}"))?;
    println!("ready");
    loop {
        let (mut client, _) = listener.accept()?;
        // A client that is gone is no reason to end.
        let _ = grind(&mut client);
    }
}

fn grind(client: &mut TcpStream) -> io::Result<()> {
    let mut asked = [0; 9];
    client.read_exact(&mut asked)?;
    let mut count = [0; 8];
    count.copy_from_slice(&asked[1..]);
    let count = u64::from_le_bytes(count);
    let digest = match asked[0] {
        b'>' => taken(client, count)?,
        _ => given(client, count)?,
    };
    client.write_all(&digest)
}

/// Reads so many bytes; gives their digest.
pub(crate) fn taken(from: &mut impl Read, count: u64) -> io::Result<[u8; 32]> {
    let (mut digest, mut left) = (Sha256::new(), count);
    let mut block = vec![0; 1 << 20];
    while left > 0 {
        let most = left.min(block.len() as u64) as usize;
        let length = from.read(&mut block[..most])?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        digest.update(&block[..length]);
        left -= length as u64;
    }
    Ok(digest.finalize().into())
}

/// Writes so many bytes, no megabyte as another; gives their digest.
pub(crate) fn given(to: &mut impl Write, count: u64) -> io::Result<[u8; 32]> {
    let (mut digest, mut state, mut sent) = (Sha256::new(), 0x9e37_79b9_7f4a_7c15_u64, 0);
    let mut block = Vec::with_capacity(1 << 20);
    while block.len() < 1 << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend(state.to_le_bytes());
    }
    while sent < count {
        block[..8].copy_from_slice(&sent.to_le_bytes());
        let length = (count - sent).min(block.len() as u64) as usize;
        digest.update(&block[..length]);
        to.write_all(&block[..length])?;
        sent += length as u64;
    }
    Ok(digest.finalize().into())
}
