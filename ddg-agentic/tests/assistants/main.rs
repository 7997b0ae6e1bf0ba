//! Assistants, threads and runs; responses and conversations.
