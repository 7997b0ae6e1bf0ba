//! A memory that summarises the older part of a conversation.

mod transcript;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::groups;
use super::{Conversation, CountTokens, EstimatedTokens, Memory, Summary, window};
use crate::message::{Message, Messages};
use crate::model::{ChatModel, ChatRequest, ModelError, Usage, ask_for_memory};
use transcript::transcript;

/// Shows everything that is not summarised, and lets a model summarise the older part from time to
/// time. Many summaries are merged into one.
///
/// The unit is a [group](Conversation::groups): a message, or tool calls with their results. The
/// last few groups are never summarised. When there are too many groups before them, or too many
/// tokens in those groups, they are [due](Memory::due). Each summary also states what the person
/// wants, which becomes the conversation's [`goal`](Conversation::goal).
///
/// If summaries fail, the conversation is shown as it is, and grows.
/// [`max_tokens`](Self::max_tokens) limits it.
///
/// ```
/// use ddg_agentic::{ChatModel, Message};
/// use ddg_agentic::memory::{Conversation, Memory, Summarising};
/// # use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
/// # use futures::future::BoxFuture;
/// # #[derive(Debug)]
/// # struct Model;
/// # impl ChatModel for Model {
/// #     fn name(&self) -> &str { "model" }
/// #     fn chat(&self, _: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
/// #         Box::pin(async { Ok(ChatReply::text("Goal: a trip to Tokyo\n\nMay is sunny.")) })
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = Summarising::new(Model).after_groups(2).keep_groups(1);
/// let mut conversation = Conversation::new([
///     Message::user("I want to see Tokyo."),
///     Message::assistant("When?"),
///     Message::user("How is May?"),
///     Message::assistant("Sunny."),
/// ]);
/// let due = memory.due(&conversation).expect("three groups are more than two");
/// assert_eq!(due, 0..3);
///
/// let (summary, _usage) = memory.summarise(&conversation, due).await?;
/// conversation.messages.push(Message::user("And June?"));    // it has grown meanwhile
/// conversation.apply(summary)?;
/// assert_eq!(conversation.goal.as_deref(), Some("a trip to Tokyo"));
/// assert_eq!(memory.window(&conversation).len(), 3);         // the summary, "Sunny." and June
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Summarising {
    model: Arc<dyn ChatModel>,
    counter: Arc<dyn CountTokens>,
    prompt: Arc<str>,
    after_groups: usize,
    after_tokens: usize,
    keep_groups: usize,
    max_summaries: usize,
    max_read_tokens: usize,
    max_tokens: Option<usize>,
}

impl Summarising {
    /// The instructions for the model. [`prompt`](Self::prompt) replaces them.
    pub const PROMPT: &str = include_str!("summarising/prompt.md");

    /// Creates a memory whose summaries are written by `model`. A small and cheap one is
    /// sufficient.
    pub fn new(model: impl ChatModel) -> Self {
        Self {
            model: Arc::new(model),
            counter: Arc::new(EstimatedTokens),
            prompt: Self::PROMPT.into(),
            after_groups: 30,
            after_tokens: 12_000,
            keep_groups: 8,
            max_summaries: 4,
            max_read_tokens: 24_000,
            max_tokens: None,
        }
    }

    /// Sets the number of groups, besides the kept ones, above which they are summarised (30 by
    /// default).
    #[must_use]
    pub fn after_groups(mut self, n_groups: usize) -> Self {
        self.after_groups = n_groups;
        self
    }

    /// Sets the number of tokens in groups, besides the kept ones, above which they are summarised
    /// (12,000 by default).
    #[must_use]
    pub fn after_tokens(mut self, n_tokens: usize) -> Self {
        self.after_tokens = n_tokens;
        self
    }

    /// Sets the number of last groups that are never summarised (8 by default, at least one).
    #[must_use]
    pub fn keep_groups(mut self, n_groups: usize) -> Self {
        self.keep_groups = n_groups.max(1);
        self
    }

    /// Sets the number of summaries above which they are merged into one (4 by default, at least
    /// one).
    #[must_use]
    pub fn max_summaries(mut self, n_summaries: usize) -> Self {
        self.max_summaries = n_summaries.max(1);
        self
    }

    /// Sets the maximum number of tokens that the model reads at once (24,000 by default), but at
    /// least one group. The middle of long texts is left out.
    #[must_use]
    pub fn max_read_tokens(mut self, n_tokens: usize) -> Self {
        self.max_read_tokens = n_tokens;
        self
    }

    /// Sets the maximum number of tokens shown, summarised or not, as
    /// [`TokenWindow`](super::TokenWindow) does. The default is no limit.
    #[must_use]
    pub fn max_tokens(mut self, n_tokens: usize) -> Self {
        self.max_tokens = Some(n_tokens);
        self
    }

    /// Sets the token counter. The default is an [estimate](EstimatedTokens).
    #[must_use]
    pub fn counter(mut self, counter: impl CountTokens) -> Self {
        self.counter = Arc::new(counter);
        self
    }

    /// Sets the instructions for the model. Its reply is the summary; a first line `Goal: …` states
    /// what the person wants.
    #[must_use]
    pub fn prompt(mut self, prompt: impl Into<Arc<str>>) -> Self {
        self.prompt = prompt.into();
        self
    }

    /// The oldest groups that are to be summarised, if there are too many.
    fn groups_due(&self, conversation: &Conversation) -> Option<Range<usize>> {
        let (from, messages) = (conversation.n_summarised(), &conversation.messages);
        let said = |group: &Range<usize>| !messages.range(group.clone()).all(Message::is_system);
        let groups = groups::from_last(messages).take_while(|group| group.start >= from);
        let mut groups: Vec<_> = groups.filter(said).collect();
        groups.reverse();
        let older = &groups[..groups.len().saturating_sub(self.keep_groups)];
        let n_tokens = |group: &Range<usize>| -> usize {
            messages.range(group.clone()).map(|message| self.counter.message(message)).sum()
        };
        let n_tokens: Vec<_> = older.iter().map(n_tokens).collect();
        let too_many = older.len() > self.after_groups;
        if !too_many && n_tokens.iter().sum::<usize>() <= self.after_tokens {
            return None;
        }
        let read = n_tokens.iter().scan(0_usize, |read, n_tokens| {
            *read += n_tokens;
            Some(*read)
        });
        let n_groups = read.take_while(|&read| read <= self.max_read_tokens).count().max(1);
        Some(older.first()?.start..older[n_groups - 1].end)
    }

    /// The range of all summaries, if there are too many.
    fn summaries_due(&self, conversation: &Conversation) -> Option<Range<usize>> {
        let end = conversation.n_summarised();
        let ranges = conversation.summaries.iter().map(|summary| &summary.range);
        let ranges: Vec<_> = ranges.filter(|range| range.end <= end).collect();
        let (first, last) = (ranges.first()?, ranges.last()?);
        (ranges.len() > self.max_summaries).then_some(first.start..last.end)
    }

    fn request(&self, conversation: &Conversation, range: &Range<usize>) -> ChatRequest {
        let goal = conversation.goal.iter().map(|goal| format!("Goal so far: {goal}\n\n"));
        let text = goal.chain([transcript(conversation, range)]).collect::<String>();
        ChatRequest::new([Message::system(&*self.prompt), Message::user(text)])
    }
}

impl Memory for Summarising {
    fn window(&self, conversation: &Conversation) -> Messages {
        let first = conversation.n_summarised();
        let cost = |message: &Message| self.counter.message(message);
        match self.max_tokens {
            Some(most) => window::last_groups(conversation, first, most, cost),
            None => conversation.shown_from(first),
        }
    }

    fn due(&self, conversation: &Conversation) -> Option<Range<usize>> {
        self.groups_due(conversation).or_else(|| self.summaries_due(conversation))
    }

    fn summarise<'a>(
        &'a self,
        conversation: &'a Conversation,
        range: Range<usize>,
    ) -> BoxFuture<'a, Result<(Summary, Usage), ModelError>> {
        async move {
            let end = range.end.min(conversation.messages.len());
            let range = range.start.min(end)..end;
            let request = self.request(conversation, &range);
            let reply = ask_for_memory(&self.model, request).await?;
            let (goal, text) = read(&reply.message.text);
            if text.is_empty() {
                let (model, message) = (self.model.name().to_owned(), "a summary has no text");
                return Err(ModelError::Malformed { model, message: message.to_owned() });
            }
            Ok((Summary { range, text: text.to_owned(), goal }, reply.usage))
        }
        .boxed()
    }
}

/// Splits a reply into the goal, if the first line states one, and the summary.
fn read(reply: &str) -> (Option<String>, &str) {
    let reply = reply.trim();
    let (first, rest) = reply.split_once('\n').unwrap_or((reply, ""));
    let line = first.trim_matches(|c: char| c == '*' || c == '#' || c.is_whitespace());
    let Some((name, goal)) = line.split_once(':') else { return (None, reply) };
    if !name.trim_end_matches('*').eq_ignore_ascii_case("goal") {
        return (None, reply);
    }
    let goal = goal.trim_start_matches('*').trim();
    let known = !goal.is_empty() && !goal.trim_end_matches('.').eq_ignore_ascii_case("unknown");
    (known.then(|| goal.to_owned()), rest.trim())
}

impl fmt::Debug for Summarising {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summarising")
            .field("model", &self.model)
            .field("after_groups", &self.after_groups)
            .field("after_tokens", &self.after_tokens)
            .field("keep_groups", &self.keep_groups)
            .field("max_summaries", &self.max_summaries)
            .finish_non_exhaustive()
    }
}
