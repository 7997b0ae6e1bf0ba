//! The messages of a conversation, in a list whose clones share them.
//!
//! **Invariant.** Each chunk of `full` has exactly [`CHUNK`] messages, and `tail` has fewer. So the
//! place of a message is computed, a clone copies three pointers, and appending copies fewer than
//! [`CHUNK`] of them.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::{Bound, Index, IndexMut, Range, RangeBounds};
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Message;

/// Number of messages in a chunk.
const CHUNK: usize = 32;

/// Maximum number of messages that are kept in front of the chunks.
const MOST_IN_FRONT: usize = 8;

/// A list of messages, oldest first.
///
/// It is used as a `Vec<Message>` is. Clones share their messages, so a copy of a long conversation
/// costs the same as one of a short conversation, and so does appending to it. A part of the list
/// is
/// [`range`](Self::range), for reading, or [`slice`](Self::slice), which shares its messages.
///
/// ```
/// use ddg_agentic::Message;
/// use ddg_agentic::message::Messages;
///
/// let mut messages: Messages = ["Hello."].into_iter().map(Message::user).collect();
/// let before = messages.clone();
/// messages.push(Message::assistant("Hello Ada."));
/// assert_eq!((before.len(), messages.len()), (1, 2));
/// assert_eq!(messages[1].text(), "Hello Ada.");
/// assert_eq!(messages, [Message::user("Hello."), Message::assistant("Hello Ada.")]);
/// assert!(std::ptr::eq(&before[0], &messages[0]));
/// ```
#[derive(Clone, Default)]
pub struct Messages {
    /// Messages that were put in front of a shared list.
    front: Vec<Arc<Message>>,
    full: Arc<Vec<Arc<Chunk>>>,
    tail: Arc<Vec<Arc<Message>>>,
}

/// Consecutive messages, and whose they are.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    messages: Vec<Arc<Message>>,
    has_system: bool,
    has_user: bool,
}

/// An iterator over messages of a list.
#[derive(Clone)]
pub struct Iter<'a> {
    messages: &'a Messages,
    range: Range<usize>,
}

/// An iterator that takes the messages of a list. Shared messages are copied.
pub struct IntoIter {
    messages: Messages,
    range: Range<usize>,
}

impl Messages {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.front.len() + self.full.len() * CHUNK + self.tail.len()
    }

    /// Whether there are no messages.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message at `index`.
    pub fn get(&self, index: usize) -> Option<&Message> {
        self.shared(index).map(|message| &**message)
    }

    /// The first message.
    pub fn first(&self) -> Option<&Message> {
        self.get(0)
    }

    /// The last message.
    pub fn last(&self) -> Option<&Message> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The messages, oldest first.
    pub fn iter(&self) -> Iter<'_> {
        self.range(..)
    }

    /// The messages of a range, oldest first. Indices behind the end are ignored.
    pub fn range(&self, range: impl RangeBounds<usize>) -> Iter<'_> {
        Iter { messages: self, range: self.within(range) }
    }

    /// The messages of a range as a list that shares them. Indices behind the end are ignored.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let range = self.within(range);
        if range == (0..self.len()) {
            return self.clone();
        }
        let mut slice = Self::new();
        slice.extend_shared(self, range);
        slice
    }

    /// Copies the messages.
    pub fn to_vec(&self) -> Vec<Message> {
        self.iter().cloned().collect()
    }

    /// Whether `message` is in the list.
    pub fn contains(&self, message: &Message) -> bool {
        self.iter().any(|other| other == message)
    }

    /// Appends a message.
    pub fn push(&mut self, message: Message) {
        self.push_shared(Arc::new(message));
    }

    /// Removes the last message.
    pub fn pop(&mut self) -> Option<Message> {
        let last = self.len().checked_sub(1)?;
        let message = Arc::clone(self.shared(last)?);
        self.truncate(last);
        Some(Arc::unwrap_or_clone(message))
    }

    /// Drops the messages from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            *self = self.slice(..len);
        }
    }

    /// Removes the messages from `at` on, and returns them.
    ///
    /// # Panics
    /// If `at` is greater than the length.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        assert!(at <= self.len(), "there are {} messages, and none at {at}", self.len());
        let rest = self.slice(at..);
        self.truncate(at);
        rest
    }

    /// Drops all messages.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Inserts a message at `index`. At the start this is as cheap as appending.
    ///
    /// # Panics
    /// If `index` is greater than the length.
    pub fn insert(&mut self, index: usize, message: Message) {
        assert!(index <= self.len(), "there are {} messages, and none at {index}", self.len());
        let message = Arc::new(message);
        if index <= self.front.len() && self.front.len() < MOST_IN_FRONT {
            self.front.insert(index, message);
            return;
        }
        let rest = self.slice(index..);
        self.truncate(index);
        self.push_shared(message);
        self.extend_shared(&rest, 0..rest.len());
    }

    /// Removes the message at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, index: usize) -> Message {
        assert!(index < self.len(), "there are {} messages, and none at {index}", self.len());
        let rest = self.slice(index + 1..);
        let removed = Arc::clone(self.shared(index).expect("the index was just checked"));
        self.truncate(index);
        self.extend_shared(&rest, 0..rest.len());
        Arc::unwrap_or_clone(removed)
    }

    /// Keeps the messages for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&Message) -> bool) {
        let mut kept = Self::new();
        for index in 0..self.len() {
            let message = self.shared(index).expect("the index is within the list");
            if keep(message) {
                kept.push_shared(Arc::clone(message));
            }
        }
        *self = kept;
    }

    /// The message at `index`, to change it. A shared message is copied first.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Message> {
        let Some(place) = index.checked_sub(self.front.len()) else {
            return self.front.get_mut(index).map(Arc::make_mut);
        };
        if let Some(place) = place.checked_sub(self.full.len() * CHUNK) {
            return Arc::make_mut(&mut self.tail).get_mut(place).map(Arc::make_mut);
        }
        let chunk = Arc::make_mut(&mut Arc::make_mut(&mut self.full)[place / CHUNK]);
        // The change may be one of the role.
        (chunk.has_system, chunk.has_user) = (true, true);
        chunk.messages.get_mut(place % CHUNK).map(Arc::make_mut)
    }

    /// The first message, to change it.
    pub fn first_mut(&mut self) -> Option<&mut Message> {
        self.get_mut(0)
    }

    /// The last message, to change it.
    pub fn last_mut(&mut self) -> Option<&mut Message> {
        self.get_mut(self.len().checked_sub(1)?)
    }
}

impl Messages {
    /// The system messages before the message `end`, with their indices. Chunks without any cost
    /// one comparison.
    pub(crate) fn systems(&self, end: usize) -> impl Iterator<Item = (usize, &Message)> {
        let blocks = self.blocks().filter(|(_, block)| block.is_none_or(|chunk| chunk.has_system));
        let within = blocks.flat_map(|(range, _)| range).take_while(move |index| *index < end);
        within.map(|index| (index, &self[index])).filter(|(_, message)| message.is_system())
    }

    /// The last message of a person before the message `end`.
    pub(crate) fn last_of_person(&self, end: usize) -> Option<usize> {
        let blocks = self.blocks().rev();
        let mut blocks = blocks.filter(|(_, block)| block.is_none_or(|chunk| chunk.has_user));
        blocks.find_map(|(range, _)| {
            let mut range = range.start..range.end.min(end).max(range.start);
            range.rfind(|index| matches!(self[*index], Message::User { .. }))
        })
    }

    /// The list in parts that a store keeps: appending changes the last part only.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Arc<Chunk>> {
        let tail = (!self.tail.is_empty()).then(|| Arc::new(Chunk::new(self.tail.to_vec())));
        self.full.iter().cloned().chain(tail)
    }

    /// The list of these parts.
    pub(crate) fn of_parts(parts: impl IntoIterator<Item = Arc<Chunk>>) -> Self {
        let (mut full, mut rest) = (Vec::new(), Vec::new());
        for part in parts {
            match rest.is_empty() && part.messages.len() == CHUNK {
                true => full.push(part),
                false => rest.extend(part.messages.iter().cloned()),
            }
        }
        let mut messages = Self { full: Arc::new(full), ..Self::default() };
        rest.into_iter().for_each(|message| messages.push_shared(message));
        messages
    }

    /// The same list without messages in front of its chunks.
    pub(crate) fn without_front(self) -> Self {
        if self.front.is_empty() {
            return self;
        }
        let mut whole = Self::new();
        whole.extend_shared(&self, 0..self.len());
        whole
    }

    pub(crate) fn shared(&self, index: usize) -> Option<&Arc<Message>> {
        let Some(place) = index.checked_sub(self.front.len()) else {
            return self.front.get(index);
        };
        match self.full.get(place / CHUNK) {
            Some(chunk) => chunk.messages.get(place % CHUNK),
            None => self.tail.get(place - self.full.len() * CHUNK),
        }
    }

    /// Appends messages of another list, and shares them.
    pub(crate) fn extend_shared(&mut self, other: &Self, range: Range<usize>) {
        for index in range {
            self.push_shared(Arc::clone(other.shared(index).expect("the range is of the list")));
        }
    }

    pub(crate) fn push_shared(&mut self, message: Arc<Message>) {
        let tail = Arc::make_mut(&mut self.tail);
        tail.push(message);
        if tail.len() == CHUNK {
            let chunk = Chunk::new(std::mem::take(tail));
            Arc::make_mut(&mut self.full).push(Arc::new(chunk));
        }
    }

    /// The indices of the messages in blocks, with the chunk if a block is one.
    fn blocks(&self) -> impl DoubleEndedIterator<Item = (Range<usize>, Option<&Chunk>)> {
        let (front, n_full) = (self.front.len(), self.full.len());
        let full = self.full.iter().enumerate().map(move |(place, chunk)| {
            let start = front + place * CHUNK;
            (start..start + CHUNK, Some(&**chunk))
        });
        let tail = (front + n_full * CHUNK..self.len(), None);
        [(0..front, None)].into_iter().chain(full).chain([tail])
    }

    fn within(&self, range: impl RangeBounds<usize>) -> Range<usize> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => usize::MAX,
        };
        let end = end.min(self.len());
        start.min(end)..end
    }
}

impl Chunk {
    fn new(messages: Vec<Arc<Message>>) -> Self {
        let has_system = messages.iter().any(|message| message.is_system());
        let is_user = |message: &Arc<Message>| matches!(**message, Message::User { .. });
        let has_user = messages.iter().any(is_user);
        Self { messages, has_system, has_user }
    }
}

impl Serialize for Chunk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.messages.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Chunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::new)
    }
}

impl Index<usize> for Messages {
    type Output = Message;

    fn index(&self, index: usize) -> &Message {
        let message = self.get(index);
        message.unwrap_or_else(|| panic!("there are {} messages, and none at {index}", self.len()))
    }
}

impl IndexMut<usize> for Messages {
    fn index_mut(&mut self, index: usize) -> &mut Message {
        let n_messages = self.len();
        let message = self.get_mut(index);
        message.unwrap_or_else(|| panic!("there are {n_messages} messages, and none at {index}"))
    }
}

impl Extend<Message> for Messages {
    fn extend<I: IntoIterator<Item = Message>>(&mut self, messages: I) {
        messages.into_iter().for_each(|message| self.push(message));
    }
}

impl FromIterator<Message> for Messages {
    fn from_iter<I: IntoIterator<Item = Message>>(messages: I) -> Self {
        let mut list = Self::new();
        list.extend(messages);
        list
    }
}

impl From<Vec<Message>> for Messages {
    fn from(messages: Vec<Message>) -> Self {
        messages.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Messages {
    type Item = &'a Message;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for Messages {
    type Item = Message;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter { range: 0..self.len(), messages: self }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Message;

    fn next(&mut self) -> Option<Self::Item> {
        self.range.next().map(|index| &self.messages[index])
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.range.nth(n).map(|index| &self.messages[index])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.range.next_back().map(|index| &self.messages[index])
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

impl Iterator for IntoIter {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.range.next().map(|index| self.messages[index].clone())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.range.size_hint()
    }
}

impl DoubleEndedIterator for IntoIter {
    fn next_back(&mut self) -> Option<Message> {
        self.range.next_back().map(|index| self.messages[index].clone())
    }
}

impl ExactSizeIterator for IntoIter {}
impl FusedIterator for IntoIter {}

impl PartialEq for Messages {
    fn eq(&self, other: &Self) -> bool {
        let equal = |index| {
            let (one, other) = (self.shared(index), other.shared(index));
            one.zip(other).is_some_and(|(one, other)| Arc::ptr_eq(one, other) || one == other)
        };
        self.len() == other.len() && (0..self.len()).all(equal)
    }
}

impl PartialEq<[Message]> for Messages {
    fn eq(&self, other: &[Message]) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl PartialEq<Vec<Message>> for Messages {
    fn eq(&self, other: &Vec<Message>) -> bool {
        *self == **other
    }
}

impl<const N: usize> PartialEq<[Message; N]> for Messages {
    fn eq(&self, other: &[Message; N]) -> bool {
        *self == other[..]
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl fmt::Debug for IntoIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.messages.range(self.range.clone())).finish()
    }
}

impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Messages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Messages, A::Error> {
                let mut messages = Messages::new();
                while let Some(message) = seq.next_element::<Message>()? {
                    messages.push(message);
                }
                Ok(messages)
            }
        }

        deserializer.deserialize_seq(List)
    }
}
