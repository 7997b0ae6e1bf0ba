//! One riddle as an automa: agents and data items are workers that come and go.
//!
//! `board` holds the rules, as a [`Board`] in its local space, and adds a worker for each message.
//! A message that is told as it ends ferries back to `board`; messages that belong together are
//! dependencies of a join.

use std::sync::Arc;

use ddg_core::prelude::*;
use serde::{Deserialize, Serialize};

use super::board::{Action, Board};
use super::delivery::{Answer, Arrived, Delivery};
use super::error::RiddleError;
use super::outcome::RiddleOutcome;
use super::platform::Platform;

/// The automa of riddles.
pub(super) struct RiddleAutoma {
    pub(super) platform: Arc<Platform>,
}

/// What `board` is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum News {
    /// The riddle begins.
    Posed,
    /// Messages have ended: the workers that carried them, and the join, can go.
    Arrived { ends: Vec<Arrived>, workers: Vec<String> },
}

/// The name of a value in the local space of `board`.
const BOARD: &str = "board";

#[automa]
impl RiddleAutoma {
    /// Begins with the riddle of this id.
    #[worker(start)]
    async fn pose(&self, id: String, cx: &Context) {
        cx.ferry_to(Self::BOARD, (id, News::Posed));
    }

    /// Decides by the rules what is done next.
    #[worker]
    async fn board(&self, id: String, news: News, cx: &Context) -> Result<(), RiddleError> {
        let actions = match news {
            News::Posed => {
                let posed = self.platform.log.posed(&id).await?;
                let (roster, settings) = (&self.platform.roster, &self.platform.settings);
                let (board, actions) = Board::begin(posed, roster.clone(), settings.clone());
                cx.local().update(BOARD, |kept: &mut Option<Board>| *kept = Some(board));
                actions
            }
            News::Arrived { ends, workers } => {
                for worker in workers {
                    cx.remove_worker(worker);
                }
                cx.local().update(BOARD, |board: &mut Option<Board>| {
                    board.as_mut().map(|board| board.take(ends)).unwrap_or_default()
                })
            }
        };
        for action in actions {
            match action {
                Action::Deliver { deliveries, joined: false } => {
                    for delivery in deliveries {
                        cx.add_func_as_worker(&delivery.key, Self::DELIVER, free());
                        cx.ferry_to(delivery.key.clone(), (id.clone(), delivery, false));
                    }
                }
                Action::Deliver { deliveries, joined: true } => {
                    let keys: Vec<_> =
                        deliveries.iter().map(|delivery| delivery.key.clone()).collect();
                    let join = format!("all_of_{}", keys.join("_"));
                    for delivery in deliveries {
                        cx.add_func_as_worker(&delivery.key, Self::DELIVER, free());
                        cx.ferry_to(delivery.key.clone(), (id.clone(), delivery, true));
                    }
                    cx.add_func_as_worker(join, Self::JOIN, after(keys).merge());
                }
                Action::Wait(end) => {
                    let key = format!("wait_{}", end.key);
                    cx.add_func_as_worker(&key, Self::WAIT, free());
                    cx.ferry_to(key, (id.clone(), end));
                }
                Action::End(outcome) => cx.ferry_to(Self::END, (*outcome,)),
            }
        }
        Ok(())
    }

    /// Delivers one message, and waits for its answer.
    #[worker(detached)]
    async fn deliver(
        &self,
        id: String,
        delivery: Delivery,
        joined: bool,
        cx: &Context,
    ) -> Result<(String, Arrived), RiddleError> {
        let answer = self.platform.deliver(&id, &delivery).await?;
        let end = delivery.arrived(answer);
        if !joined {
            let workers = vec![delivery.key];
            cx.ferry_to(
                Self::BOARD,
                (id.clone(), News::Arrived { ends: vec![end.clone()], workers }),
            );
        }
        Ok((id, end))
    }

    /// Waits for all messages that belong together.
    #[worker(detached)]
    async fn join(&self, arrived: Vec<(String, Arrived)>, cx: &Context) {
        let id = arrived.first().map(|(id, _)| id.clone()).unwrap_or_default();
        let ends: Vec<_> = arrived.into_iter().map(|(_, end)| end).collect();
        let mut workers = vec![cx.key().to_string()];
        workers.extend(ends.iter().map(|end| end.key.clone()));
        cx.ferry_to(Self::BOARD, (id, News::Arrived { ends, workers }));
    }

    /// Waits until the deadline of a stage.
    #[worker(detached)]
    async fn wait(&self, id: String, end: Arrived, cx: &Context) {
        let ended = self.platform.wait(&id, end.stage).await;
        let answer = if ended { Answer::RiddleEnded } else { end.answer.clone() };
        let (workers, end) = (vec![cx.key().to_string()], Arrived { answer, ..end });
        cx.ferry_to(Self::BOARD, (id, News::Arrived { ends: vec![end], workers }));
    }

    /// Notes how the riddle has ended.
    #[worker(output)]
    async fn end(&self, outcome: RiddleOutcome) -> Result<RiddleOutcome, RiddleError> {
        self.platform.end(&outcome).await?;
        Ok(outcome)
    }
}
