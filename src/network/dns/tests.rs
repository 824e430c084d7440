//! A resolver with real sockets, and servers of the tests' own behind it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::message::A;
use super::message::tests::question;
use super::*;

/// Longer than all servers are waited for.
const LONG: Duration = Duration::from_secs(10);

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket
}

/// A server that sends to each question what `answers` makes of it, and gives where the questions
/// came from.
fn upstream(
    questions: usize,
    answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddr, JoinHandle<Vec<SocketAddr>>) {
    let own = socket();
    let place = own.local_addr().unwrap();
    let serve = move || {
        let mut buffer = [0; 512];
        let one = |_| {
            let (length, from) = own.recv_from(&mut buffer).unwrap();
            for answer in answers(&buffer[..length]) {
                own.send_to(&answer, from).unwrap();
            }
            from
        };
        (0..questions).map(one).collect()
    };
    (place, thread::spawn(serve))
}

/// An answer of this code without records.
fn answer(asked: &[u8], code: u8) -> Vec<u8> {
    let mut answer = asked.to_vec();
    (answer[2], answer[3]) = (0x81, 0x80 | code);
    answer
}

/// Folder of the networks with one, `net`, that `me` is on.
fn networks() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let members = folder.path().join("net/members");
    std::fs::create_dir_all(&members).unwrap();
    let record = serde_json::json!({
        "name": "net", "id": "00", "created": "2026-01-01T00:00:00Z", "interface": "k-0",
        "subnets": [{"subnet": "10.89.0.0/24", "gateway": "10.89.0.1"}], "dns": true,
    });
    std::fs::write(folder.path().join("net/network.json"), record.to_string()).unwrap();
    let me = serde_json::json!({
        "container": "me", "name": "box", "mac": "02:00:00:00:00:02", "interface": "eth0",
        "addresses": [{"ip": "10.89.0.2", "prefix": 24}],
    });
    std::fs::write(members.join("me.json"), me.to_string()).unwrap();
    folder
}

/// Sends questions to a resolver with these servers and gives the answers.
fn asked(servers: &[SocketAddr], questions: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let folder = networks();
    let datagrams = socket();
    let place = datagrams.local_addr().unwrap();
    let mut server = Server::new(Resolver {
        datagrams,
        streams: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
        networks: folder.path().to_owned(),
        container: "me".to_owned(),
        servers: servers.to_vec(),
        asked: false,
    })
    .unwrap();
    let client = socket();
    for question in questions {
        client.send_to(question, place).unwrap();
    }
    client.set_nonblocking(true).unwrap();
    let mut answers = Vec::new();
    let end = Instant::now() + LONG;
    while answers.len() < questions.len() && Instant::now() < end {
        server.serve();
        let mut buffer = [0; 512];
        while let Ok(length) = client.recv(&mut buffer) {
            answers.push(buffer[..length].to_vec());
        }
        thread::yield_now();
    }
    answers
}

#[test]
fn members_are_known_and_the_rest_is_asked_for() {
    let (place, server) = upstream(1, |asked| vec![answer(asked, NO_NAME)]);
    let answers = asked(&[place], &[question("box", A), question("elsewhere", A)]);
    assert_eq!(answers[0][answers[0].len() - 4..], [10, 89, 0, 2]);
    assert_eq!(
        (&answers[1][..2], answers[1][3] & 15),
        (&[0x12, 0x34][..], NO_NAME)
    );
    server.join().unwrap();
}

#[test]
fn only_the_answer_to_the_question_counts() {
    let (place, server) = upstream(1, |asked| {
        let mut other_number = answer(asked, NO_ERROR);
        other_number[0] ^= 1;
        let mut other_name = answer(asked, NO_ERROR);
        other_name[13] ^= 3;
        let mut other_kind = answer(asked, NO_ERROR);
        let at = other_kind.len() - 3;
        other_kind[at] = 28;
        let no_answer = asked.to_vec();
        vec![
            other_number,
            other_name,
            other_kind,
            no_answer,
            answer(asked, NO_NAME),
        ]
    });
    let answers = asked(&[place], &[question("elsewhere", A)]);
    assert_eq!(answers[0][3] & 15, NO_NAME);
    server.join().unwrap();
}

#[test]
fn a_server_that_cannot_is_passed_over() {
    let closed = socket().local_addr().unwrap();
    let (failing, first) = upstream(1, |asked| vec![answer(asked, SERVER_FAILURE)]);
    let (refusing, second) = upstream(1, |asked| vec![answer(asked, REFUSED)[..12].to_vec()]);
    let (knowing, third) = upstream(1, |asked| vec![answer(asked, NO_ERROR)]);
    let servers = [closed, failing, refusing, knowing];
    let answers = asked(&servers, &[question("elsewhere", A)]);
    assert_eq!(answers[0][3] & 15, NO_ERROR);
    for server in [first, second, third] {
        server.join().unwrap();
    }
    // What the last one says is passed on, and silence is a failure too.
    let (failing, server) = upstream(1, |asked| vec![answer(asked, REFUSED)]);
    let answers = asked(&[failing, closed], &[question("elsewhere", A)]);
    assert_eq!(answers[0][3] & 15, REFUSED);
    server.join().unwrap();
    let answers = asked(&[closed], &[question("elsewhere", A)]);
    assert_eq!(answers[0][3] & 15, SERVER_FAILURE);
}

#[test]
fn each_question_has_a_port_and_a_number_of_its_own() {
    let (place, server) = upstream(20, |asked| vec![answer(asked, NO_ERROR)]);
    let questions: Vec<Vec<u8>> = (0..20)
        .map(|number| question(&format!("name{number}"), A))
        .collect();
    assert_eq!(asked(&[place], &questions).len(), 20);
    let mut ports: Vec<u16> = server
        .join()
        .unwrap()
        .iter()
        .map(SocketAddr::port)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    assert!(ports.len() > 1, "{ports:?}");
}

#[test]
fn streams_are_answered_too() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let folder = networks();
    let mut server = Server::new(Resolver {
        datagrams: socket(),
        streams: listener,
        networks: folder.path().to_owned(),
        container: "me".to_owned(),
        servers: Vec::new(),
        asked: false,
    })
    .unwrap();
    client.set_read_timeout(Some(LONG)).unwrap();
    write_message(&mut client, &question("box", A)).unwrap();
    server.serve();
    let answer = read_message(&mut client).unwrap();
    assert_eq!(answer[answer.len() - 4..], [10, 89, 0, 2]);
}
