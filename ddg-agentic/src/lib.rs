//! Agents on [`ddg_core`]: the room above the engine. It is empty until models and tools move in.
