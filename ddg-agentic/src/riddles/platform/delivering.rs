//! One message to one agent: sent, waited for until its deadline, answered once.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::super::agent::{AgentContext, DynAgent};
use super::super::delivery::{Answer, Delivery};
use super::super::error::RiddleError;
use super::super::held::Receipt;
use super::super::host::{Handled, handle};
use super::super::link::{AgentLink, Envelope};
use super::super::log::{Delivered, NewDelivery, Reply, now};
use super::super::stage::Stage;
use super::{Platform, Reached};

/// The first pause before a message that was not acknowledged is sent again; each is twice the one
/// before, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Platform {
    /// Delivers a message, and returns what came back. A delivery that is made again after a crash
    /// continues with the message, the time and the answer of the log.
    pub(in crate::riddles) async fn deliver(
        self: &Arc<Self>,
        riddle: &str,
        delivery: &Delivery,
    ) -> Result<Answer, RiddleError> {
        let new = NewDelivery {
            riddle,
            key: &delivery.key,
            stage: delivery.stage,
            agent: &delivery.agent,
            message: &delivery.message,
        };
        let token = self.token(riddle);
        let sent = self.log.deliver(new).await?;
        self.wrote();
        if sent.has_ended {
            return Ok(Answer::RiddleEnded);
        }
        if sent.reply.is_some() {
            return Ok(sent_back(sent));
        }
        let waiting = Waiting::new(self, sent.number);
        tokio::select! {
            // An answer that is there counts, also if the deadline has passed at the same time.
            biased;
            found = self.exchange(&sent, &waiting.notify) => found,
            () = token.cancelled() => Ok(Answer::RiddleEnded),
            () = sleep_until(self.deadline(&sent)) => self.too_late(&sent).await,
        }
    }

    /// When the agent must have answered: counted from when the message was first sent.
    fn deadline(&self, sent: &Delivered) -> Instant {
        let since = u64::try_from(now().saturating_sub(sent.time)).unwrap_or(0);
        let whole = self.settings.deadline(sent.stage);
        Instant::now() + whole.saturating_sub(Duration::from_millis(since))
    }

    /// Waits for the deadline of a stage. Returns whether the riddle has ended before.
    pub(in crate::riddles) async fn wait(&self, riddle: &str, stage: Stage) -> bool {
        let token = self.token(riddle);
        tokio::select! {
            () = token.cancelled() => true,
            () = sleep(self.settings.deadline(stage)) => false,
        }
    }

    /// The deadline has passed. What comes from now on is late.
    async fn too_late(&self, sent: &Delivered) -> Result<Answer, RiddleError> {
        self.reply(sent.number, &sent.agent, &Reply::Deadline).await?;
        self.replied(sent.number).await.map(|found| found.unwrap_or(Answer::Deadline))
    }

    /// Sends the message, and waits for the answer.
    async fn exchange(
        self: &Arc<Self>,
        sent: &Delivered,
        notify: &Notify,
    ) -> Result<Answer, RiddleError> {
        let no_agent = || {
            let message = format!("no agent is called `{}`", sent.agent);
            Reply::Failed(message)
        };
        let asked = async {
            match self.agents.get(&sent.agent) {
                None => drop(self.reply(sent.number, &sent.agent, &no_agent()).await?),
                Some(Reached::Here(agent)) if !sent.is_held => self.ask(&**agent, sent).await?,
                // It has been asked, and has said that it answers later.
                Some(Reached::Here(_)) => {}
                Some(Reached::Elsewhere(link)) => self.send(&**link, sent).await,
            }
            Ok::<_, RiddleError>(())
        };
        let replied = async {
            loop {
                if let Some(found) = self.replied(sent.number).await? {
                    return Ok(found);
                }
                notify.notified().await;
            }
        };
        let (mut asked, mut replied) = (std::pin::pin!(asked.fuse()), std::pin::pin!(replied));
        loop {
            tokio::select! {
                biased;
                found = &mut replied => return found,
                done = &mut asked, if !futures::future::FusedFuture::is_terminated(&*asked) => done?,
            }
        }
    }

    /// Has an agent of this process handle the message.
    async fn ask(
        self: &Arc<Self>,
        agent: &dyn DynAgent,
        sent: &Delivered,
    ) -> Result<(), RiddleError> {
        let reply = match handle(agent, &sent.message, &self.context(sent)).await {
            Ok(Handled::Response(response)) => Reply::Sent(response),
            Ok(Handled::Stopped) => Reply::Stopped,
            Ok(Handled::Held) => return self.log.hold(sent.number).await,
            Err(reason) => Reply::Failed(reason),
        };
        // It may have been sent before, by an agent that held it and sent it at once.
        self.reply(sent.number, &sent.agent, &reply).await?;
        Ok(())
    }

    pub(in crate::riddles) fn context(self: &Arc<Self>, sent: &Delivered) -> AgentContext {
        AgentContext {
            agent: sent.agent.as_str().into(),
            number: sent.number,
            stage: sent.stage,
            riddle: sent.riddle.as_str().into(),
            trial: sent.message.status.trial,
            item: sent.message.item,
            shared: self.shared.clone(),
            persist: self.persist.clone(),
            platform: Arc::clone(self) as _,
            n_sub_riddles: Arc::default(),
            decision: Arc::default(),
        }
    }

    /// Sends the message to an agent elsewhere, again and again until the answer stops it.
    async fn send(&self, link: &dyn AgentLink, sent: &Delivered) {
        let envelope = Envelope::new(sent.number, &sent.agent, sent.message.clone());
        let mut pause = FIRST_PAUSE;
        loop {
            let attempt = timeout_at(Instant::now() + self.settings.resend, link.send(&envelope));
            match attempt.await {
                Ok(Ok(())) => {
                    pause = FIRST_PAUSE;
                    sleep(self.settings.resend).await;
                }
                refused => {
                    let why = match refused {
                        Ok(Err(why)) => why,
                        _ => "it has not acknowledged the message in time".to_owned(),
                    };
                    tracing::warn!(
                        agent = sent.agent,
                        number = sent.number,
                        riddle = sent.riddle,
                        why,
                        "a message was not acknowledged; it is sent again"
                    );
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// The answer that the log has for a message.
    async fn replied(&self, number: i64) -> Result<Option<Answer>, RiddleError> {
        let sent = self.log.delivered(number).await?;
        Ok(match sent {
            Some(Delivered { has_ended: true, .. }) | None => Some(Answer::RiddleEnded),
            Some(sent) => sent.reply.is_some().then(|| sent_back(sent)),
        })
    }

    /// An answer of an agent, by number.
    pub(in crate::riddles) async fn take_answer(
        &self,
        envelope: Envelope,
    ) -> Result<Receipt, RiddleError> {
        let Envelope { number, agent, decision, message } = envelope;
        let reply = match decision.as_deref() {
            None | Some("send") => Reply::Sent(Box::new(message)),
            Some("stop") => Reply::Stopped,
            Some(other) => {
                let message =
                    format!("`decision` is `{other}`: write `send` or `stop`, or leave it out");
                return Err(RiddleError::BadMessage { message });
            }
        };
        self.reply(number, &agent, &reply).await
    }
}

/// The answer to a delivery, which has one.
fn sent_back(mut sent: Delivered) -> Answer {
    match sent.reply.take() {
        Some(Reply::Sent(mut message)) => {
            message.sub_ids = sent.sub_ids.clone();
            Answer::Message(message)
        }
        Some(Reply::Stopped) => Answer::Stopped,
        Some(Reply::Failed(reason)) => Answer::Failed(reason),
        Some(Reply::Deadline) | None => Answer::Deadline,
    }
}

/// A place among those that wait for an answer, given up when it is dropped.
struct Waiting<'a> {
    platform: &'a Platform,
    number: i64,
    notify: Arc<Notify>,
}

impl<'a> Waiting<'a> {
    fn new(platform: &'a Platform, number: i64) -> Self {
        let notify = Arc::clone(platform.waiting().entry(number).or_default());
        Self { platform, number, notify }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.platform.waiting().remove(&self.number);
    }
}
