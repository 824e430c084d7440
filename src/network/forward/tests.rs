//! Ports that lead to servers of the tests' own.

use std::net::Ipv4Addr;

use super::*;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);
/// More than all buffers between the two ends hold.
const MUCH: usize = 24 << 20;

fn port(forward: Forward) -> Port {
    Port::new(forward).unwrap()
}

/// Serves the port until `done`.
fn serve_until(port: &mut Port, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "it takes too long");
        port.serve();
        thread::yield_now();
    }
}

/// A port of streams, its address, and the listener behind it.
fn streams() -> (Port, SocketAddr, TcpListener) {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (listener, behind) = (listen(), listen());
    let place = listener.local_addr().unwrap();
    let target = behind.local_addr().unwrap();
    (port(Forward::Tcp { listener, target }), place, behind)
}

#[test]
fn a_stream_goes_both_ways_and_each_way_ends_for_itself() {
    let (mut port, place, behind) = streams();
    let server = thread::spawn(move || {
        let (mut stream, _) = behind.accept().unwrap();
        let mut heard = Vec::new();
        // The end of what the client says arrives while it still listens.
        stream.read_to_end(&mut heard).unwrap();
        stream.write_all(&heard).unwrap();
        heard.len()
    });
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(place).unwrap();
        let data: Vec<u8> = (0..MUCH).map(|at| (at % 251) as u8).collect();
        stream.write_all(&data).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        back == data
    });
    serve_until(&mut port, || client.is_finished());
    assert!(client.join().unwrap(), "something else came back");
    assert_eq!(server.join().unwrap(), MUCH);
}

#[test]
fn a_client_of_nobody_is_let_go() {
    let (mut port, place, behind) = streams();
    drop(behind);
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(place).unwrap();
        stream.read(&mut [0]).map_or(0, |count| count)
    });
    serve_until(&mut port, || client.is_finished());
    assert_eq!(client.join().unwrap(), 0);
    let open = port.open.clone();
    serve_until(&mut port, || open.load(Ordering::Relaxed) == 0);
}

#[test]
fn the_end_of_a_server_is_the_end_for_its_client() {
    let (mut port, place, behind) = streams();
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(place).unwrap();
        let chunk = vec![0; 1 << 20];
        // It sends until it is told that nobody reads.
        (0..64).any(|_| stream.write_all(&chunk).is_err())
    });
    let server = thread::spawn(move || drop(behind.accept().unwrap()));
    serve_until(&mut port, || client.is_finished());
    server.join().unwrap();
    assert!(client.join().unwrap(), "it was never told");
}

#[test]
fn clients_of_datagrams_get_their_own_answers() {
    let own = || {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let (socket, behind) = (own(), own());
    let place = socket.local_addr().unwrap();
    let target = behind.local_addr().unwrap();
    let mut port = port(Forward::Udp { socket, target });
    let clients: Vec<UdpSocket> = (0..3).map(|_| own()).collect();
    for (number, client) in clients.iter().enumerate() {
        client.send_to(&[number as u8], place).unwrap();
    }
    let mut buffer = [0; 16];
    let mut served = 0;
    serve_until(&mut port, || {
        while let Ok((length, from)) = behind.recv_from(&mut buffer) {
            buffer[length] = 7;
            behind.send_to(&buffer[..=length], from).unwrap();
            served += 1;
        }
        served == clients.len()
    });
    for (number, client) in clients.iter().enumerate() {
        let mut heard = [0; 16];
        let mut length = 0;
        serve_until(&mut port, || {
            length = client.recv(&mut heard).unwrap_or(0);
            length > 0
        });
        assert_eq!(heard[..length], [number as u8, 7]);
    }
    assert_eq!(port.clients.len(), 3);
}

#[test]
fn one_that_floods_leaves_time_for_the_others() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let place = socket.local_addr().unwrap();
    // Nobody listens there: what comes back is an error and no end of the port.
    let target = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target = target.local_addr().unwrap();
    let mut port = port(Forward::Udp { socket, target });
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    for _ in 0..ROUND + 1 {
        client.send_to(b"x", place).unwrap();
    }
    port.serve();
    let Forward::Udp { socket, .. } = &port.forward else {
        unreachable!()
    };
    assert!(
        socket.recv_from(&mut [0; 16]).is_ok(),
        "all was taken at once"
    );
}
