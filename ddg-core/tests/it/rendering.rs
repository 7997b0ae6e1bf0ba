//! Seeing a graph and a run: Mermaid, DOT and SVG.

mod declared;
mod failed;
mod grown;
mod keys;
mod nested;
mod printed;
mod timeline;
mod timeline_size;
