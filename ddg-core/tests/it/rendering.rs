//! Drawings of a graph and a run: Mermaid, DOT and SVG.

mod declared;
mod failed;
mod grown;
mod keys;
mod lives;
mod nested;
mod possible;
mod printed;
mod sizes;
mod timeline;
mod timeline_size;
