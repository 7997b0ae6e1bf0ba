//! What is timed is the whole loop: each agent asks as often as it should, is given all results of a turn,
//! and comes to the answer.

use std::sync::Arc;

use benches::agents::measure::{TURNS, measure};
use benches::agents::model::{ANSWER, AtOnce, Line, Script, call_id};
use benches::agents::tool::{forecast, toolbox};
use benches::agents::{pieces, subjects};
use ddg_agentic::prelude::*;

#[tokio::test]
async fn each_agent_comes_to_the_answer() {
    let script = Script::new(3, 2);
    for agent in subjects(&script).unwrap() {
        for _ in 0..2 {
            assert_eq!((agent.run)().await.unwrap(), ANSWER, "{}", agent.name);
            assert_eq!(script.rewind().len(), 4, "{}", agent.name);
        }
    }
}

#[tokio::test]
async fn an_agent_is_given_the_results_of_each_turn() {
    let script = Script::new(2, 2);
    let agent = ReActAutoma::new(AtOnce(Arc::clone(&script))).tools(toolbox().unwrap());
    let outcome = agent.build().unwrap().run(args!("?")).await.unwrap();
    let results = outcome.conversation.messages.iter().filter_map(|message| match message {
        Message::Tool(result) => Some((result.call_id.clone(), result.content.clone())),
        _ => None,
    });
    let expected = [(1, 1), (1, 2), (2, 1), (2, 2)];
    let expected = expected.map(|(turn, call)| (call_id(turn, call), forecast("Tokyo")));
    assert_eq!(results.collect::<Vec<_>>(), expected);
}

#[test]
fn a_script_ends_with_the_answer() {
    let script = Script::new(1, 8);
    assert_eq!(script.next(), Line::Calls { turn: 1, n_calls: 8 });
    assert_eq!(script.next(), Line::Answer);
}

#[tokio::test]
async fn each_turn_is_a_figure() {
    for figure in measure(1, 1).await.unwrap() {
        assert_eq!(figure.turn_us.len(), TURNS.len(), "{}", figure.agent);
        assert!(figure.turn_us.iter().all(|us| *us > 0.0), "{figure:?}");
    }
}

#[tokio::test]
async fn a_reply_in_pieces_is_read_whole() {
    let figures = pieces::measure(&[1_000], 1).await.unwrap();
    // Eleven bytes of the arguments are not the text.
    let n_pieces: Vec<_> = figures.iter().map(|figure| (figure.piece, figure.n_pieces)).collect();
    assert_eq!(n_pieces, [(20, 51), (200, 6)]);
    assert_eq!(pieces::table(&figures).lines().count(), 4);
}
