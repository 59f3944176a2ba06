//! How many requests one server thread answers: bare, within our layers, and within our peers'.
//!
//! ```sh
//! cargo run --release -p kimi-benches --bin throughput [ROUNDS]
//! ```
//!
//! Each server is a process of its own, with a runtime of one thread, and serves HTTP/1.1 on loopback;
//! a client of one thread keeps [`CONNECTIONS`] connections to each, and sends its next request on one
//! when it has read the answer to the last. In each round every server has its turn of [`REQUESTS`]
//! requests, in an order that moves on by one; what is compared are turns of one round. `bare` is
//! there twice: the second one says how much a ratio means.

#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use std::{
    env, io,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use axum::body::Bytes;
use cpu_time::ProcessTime;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use kimi_benches::served::{ANSWER, Server, request};
use kimi_errors::BoxError;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::Instant,
};

/// How many connections the client has to each server.
const CONNECTIONS: usize = 32;
/// How many requests a server is sent in a round.
const REQUESTS: usize = CONNECTIONS * 400;
/// How many rounds there are, unless told otherwise.
const ROUNDS: usize = 41;

fn main() -> Result<(), BoxError> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", name] => {
            let server = Server::named(name).ok_or("there is no such server")?;
            runtime.block_on(serve(server))
        }
        [] => compare(&runtime, ROUNDS),
        [rounds] => compare(&runtime, rounds.parse()?),
        _ => Err("throughput [ROUNDS]".into()),
    }
}

/// Serves until the standard input ends. Prints the port, and for each line that it is sent how many
/// nanoseconds of a processor it has used.
async fn serve(server: Server) -> Result<(), BoxError> {
    let router = server.router();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        for _ in io::stdin().lines().map_while(Result::ok) {
            println!("{}", ProcessTime::now().as_duration().as_nanos());
        }
        // Whoever would be told is gone then.
        let _ = stop.send(());
    });
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = &mut stopped => return Ok(()),
        };
        stream.set_nodelay(true)?;
        let service = TowerToHyperService::new(router.clone());
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new());
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
    }
}

/// A server that runs, and the connections to it.
struct Running {
    name: String,
    process: Child,
    asks: ChildStdin,
    tells: BufReader<ChildStdout>,
    connections: Vec<(TcpStream, Bytes)>,
    turns: Vec<Turn>,
}

/// What a turn has taken, for each request.
#[derive(Clone, Copy)]
struct Turn {
    wall: Duration,
    processor: Duration,
}

impl Running {
    fn start(runtime: &Runtime, server: Server, name: &str) -> Result<Self, BoxError> {
        let mut process = Command::new(env::current_exe()?)
            .args(["serve", server.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let asks = process.stdin.take().ok_or("it has an input")?;
        let mut tells = BufReader::new(process.stdout.take().ok_or("it has an output")?);
        let port: u16 = line(&mut tells)?.parse()?;
        let connect = async |number| -> Result<_, BoxError> {
            let stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            Ok((stream, request(number)))
        };
        let mut connections = Vec::new();
        for number in 0..CONNECTIONS {
            connections.push(runtime.block_on(connect(number))?);
        }
        let turns = Vec::new();
        Ok(Self { name: name.to_owned(), process, asks, tells, connections, turns })
    }

    fn processor(&mut self) -> Result<Duration, BoxError> {
        writeln!(self.asks)?;
        Ok(Duration::from_nanos(line(&mut self.tells)?.parse()?))
    }

    fn turn(&mut self, runtime: &Runtime) -> Result<Turn, BoxError> {
        let processor = self.processor()?;
        let started = Instant::now();
        let connections = std::mem::take(&mut self.connections);
        self.connections = runtime.block_on(async {
            let asking: JoinSet<_> =
                connections.into_iter().map(|(stream, request)| ask(stream, request)).collect();
            asking.join_all().await.into_iter().collect::<Result<_, io::Error>>()
        })?;
        let wall = started.elapsed();
        let processor = self.processor()? - processor;
        let requests = u32::try_from(REQUESTS)?;
        Ok(Turn { wall: wall / requests, processor: processor / requests })
    }

    fn stop(mut self) -> Result<(), BoxError> {
        drop(self.asks);
        self.process.wait()?;
        Ok(())
    }
}

/// Sends the request of a connection as often as it is its part, and reads each answer.
async fn ask(mut stream: TcpStream, request: Bytes) -> io::Result<(TcpStream, Bytes)> {
    let mut answer = Vec::with_capacity(4096);
    for _ in 0..REQUESTS / CONNECTIONS {
        stream.write_all(&request).await?;
        answer.clear();
        while !answer.ends_with(ANSWER.as_bytes()) {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "it is answered well");
    }
    Ok((stream, request))
}

fn line(from: &mut impl BufRead) -> Result<String, BoxError> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn compare(runtime: &Runtime, rounds: usize) -> Result<(), BoxError> {
    let again = [(Server::Bare, "bare, again")];
    let servers = Server::ALL.into_iter().map(|server| (server, server.name()));
    let mut running = servers
        .chain(again)
        .map(|(server, name)| Running::start(runtime, server, name))
        .collect::<Result<Vec<_>, _>>()?;
    for server in &mut running {
        server.turn(runtime)?;
    }
    let count = running.len();
    for round in 0..rounds {
        for place in 0..count {
            let server = &mut running[(round + place) % count];
            let turn = server.turn(runtime)?;
            server.turns.push(turn);
        }
    }
    print(&running);
    running.into_iter().try_for_each(Running::stop)
}

/// Prints the table: the median of all rounds, and of the ratios within each of them; between which
/// two the half of them is.
fn print(running: &[Running]) {
    println!(
        "| {} rounds of {REQUESTS} requests | requests/s | of bare | µs of processor | of bare |",
        running[0].turns.len()
    );
    println!("|---|---:|---:|---:|---:|");
    for server in running {
        let [wall, processor] = [|turn: Turn| turn.wall, |turn: Turn| turn.processor].map(|of| {
            let pairs = server.turns.iter().zip(&running[0].turns);
            let ratios = pairs.map(|(turn, bare)| of(*turn).div_duration_f64(of(*bare)));
            (quartiles(server.turns.iter().map(|turn| of(*turn).as_secs_f64())), quartiles(ratios))
        });
        // Throughput is the other way round than time, and so are its quartiles.
        let [low, middle, high] = wall.1;
        println!(
            "| {} | {:.0} | {:.3} ({:.3} to {:.3}) | {:.2} | {:.3} ({:.3} to {:.3}) |",
            server.name,
            1.0 / wall.0[1],
            1.0 / middle,
            1.0 / high,
            1.0 / low,
            processor.0[1] * 1e6,
            processor.1[1],
            processor.1[0],
            processor.1[2],
        );
    }
    let named = |name| running.iter().find(|server| server.name == name);
    if let (Some(ours), Some(peers)) = (named("ours"), named("peers")) {
        let pairs = ours.turns.iter().zip(&peers.turns);
        let ratios = pairs.map(|(ours, peers)| peers.wall.div_duration_f64(ours.wall));
        let [low, middle, high] = quartiles(ratios);
        println!("\nours, of peers: {middle:.3} ({low:.3} to {high:.3})");
    }
}

fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}
