//! What it takes to read the arguments of a call that are streamed in pieces.
//!
//! The server is in this process, and sends a prepared reply as fast as it is read; so the figures
//! include the sending of it.

use std::error::Error;
use std::time::Instant;

use ddg_agentic::ChatModel;
use ddg_agentic::message::ToolArguments;
use ddg_agentic::model::ChatRequest;
use ddg_agentic::provider::OpenAi;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::report::table::{bytes, count, ratio};

/// The length of the arguments, in bytes.
pub const LENGTHS: [usize; 3] = [1 << 16, 1 << 20, 1 << 22];

/// The length of a piece, in bytes: a few tokens, and a line or two.
pub const PIECES: [usize; 2] = [20, 200];

/// What reading one reply has taken; the time is the median of the runs.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Length of the arguments.
    pub n_bytes: usize,
    /// Length of a piece.
    pub piece: usize,
    /// Number of pieces.
    pub n_pieces: usize,
    /// From the request to the whole reply.
    pub ms: f64,
}

/// Measures so many runs of each length of arguments and pieces.
///
/// # Errors
/// The server cannot be asked, or the reply is another one.
pub async fn measure(lengths: &[usize], runs: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut figures = Vec::new();
    for piece in PIECES {
        for n_bytes in lengths.iter().copied() {
            let (reply, n_pieces) = reply(n_bytes, piece);
            let mut all = Vec::new();
            for _ in 0..runs {
                all.push(run(&reply, n_bytes).await?);
            }
            all.sort_by(f64::total_cmp);
            figures.push(Figure { n_bytes, piece, n_pieces, ms: all[all.len() / 2] });
        }
    }
    Ok(figures)
}

/// The figures as a table.
pub fn table(figures: &[Figure]) -> String {
    let mut text = "| pieces of | arguments | pieces | ms | µs per piece | to the shortest |\n\
                    | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    for figure in figures {
        let Figure { n_bytes, piece, n_pieces, ms } = figure;
        let per_piece = |figure: &Figure| figure.ms * 1e3 / figure.n_pieces as f64;
        let shortest = figures.iter().find(|shortest| shortest.piece == *piece);
        let to_shortest = shortest.map_or(1.0, |it| per_piece(figure) / per_piece(it));
        text += &format!(
            "| {piece} B | {} | {} | {ms:.1} | {:.2} | {} |\n",
            bytes(*n_bytes),
            count(*n_pieces),
            per_piece(figure),
            ratio(to_shortest),
        );
    }
    text
}

/// A reply with one call whose arguments have so many bytes, and the number of its pieces.
fn reply(n_bytes: usize, piece: usize) -> (String, usize) {
    let arguments = json!({ "text": "x".repeat(n_bytes) }).to_string();
    let event = |delta: Json, finish: Json| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "instant", "choices": [choice],
        });
        format!("data: {chunk}\n\n")
    };
    let begins = json!({ "name": "write", "arguments": "" });
    let begins = json!({ "index": 0, "id": "call_1", "type": "function", "function": begins });
    let mut events = event(json!({ "role": "assistant", "tool_calls": [begins] }), Json::Null);
    let mut n_pieces = 0;
    for piece in arguments.as_bytes().chunks(piece) {
        let text = String::from_utf8_lossy(piece);
        let call = json!({ "index": 0, "function": { "arguments": text } });
        events += &event(json!({ "tool_calls": [call] }), Json::Null);
        n_pieces += 1;
    }
    events += &event(json!({}), json!("tool_calls"));
    (events + "data: [DONE]\n\n", n_pieces)
}

/// How long a model takes to read the reply, in milliseconds.
async fn run(reply: &str, n_bytes: usize) -> Result<f64, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let model = OpenAi::new("instant").base_url(format!("http://{}/v1", listener.local_addr()?));
    let server = tokio::spawn(serve(listener, reply.to_owned()));
    let began = Instant::now();
    let stream = model.stream(ChatRequest::new(["Write."])).await?;
    let found = stream.reply(|_| ()).await?;
    let ms = began.elapsed().as_secs_f64() * 1e3;
    server.await??;
    let ToolArguments::Json(arguments) = &found.message.tool_calls[0].arguments else {
        return Err("the arguments are not JSON".into());
    };
    match arguments["text"].as_str() {
        Some(text) if text.len() == n_bytes => Ok(ms),
        _ => Err("the arguments are others".into()),
    }
}

/// Answers the first request with `reply`.
async fn serve(listener: TcpListener, reply: String) -> std::io::Result<()> {
    let (mut client, _) = listener.accept().await?;
    read_request(&mut client).await?;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    client.write_all(head.as_bytes()).await?;
    client.write_all(reply.as_bytes()).await?;
    client.shutdown().await
}

/// Reads a request, up to the end of its JSON.
async fn read_request(client: &mut TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        if client.read_buf(&mut request).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
