//! Builds pictures from graphs, with nested automata at any depth.

use std::collections::VecDeque;
use std::sync::Arc;

use super::picture::{Edge, EdgeKind, Node, NodeIdx, Of, Picture, Standing};
use crate::automa::GraphAutoma;
use crate::graph::View;
use crate::worker::Body;

/// Workers that may be automata and have not been visited yet.
type Todo = VecDeque<(NodeIdx, Arc<Body>)>;

impl Picture {
    /// The declared graph, valid or not.
    pub(super) fn declared(automa: &GraphAutoma) -> Self {
        let mut picture = Self::new(automa.name(), Of::Declared);
        let mut todo = Todo::new();
        picture.add_declared(None, automa, &mut todo);
        picture.look_into(todo);
        picture.add_possible();
        picture
    }

    /// The graph at the end of a run.
    pub(super) fn grown(view: &View<Arc<Body>>) -> Self {
        let mut picture = Self::new(&view.base().automa, Of::Grown);
        let mut todo = Todo::new();
        picture.add_view(None, view, &mut todo);
        picture.look_into(todo);
        picture.add_possible();
        picture
    }

    fn look_into(&mut self, mut todo: Todo) {
        while let Some((idx, body)) = todo.pop_front() {
            let worker = &body.worker.0;
            match (worker.view(), worker.automa()) {
                (Some(view), _) => self.add_view(Some(idx), view, &mut todo),
                (None, Some(automa)) => self.add_declared(Some(idx), automa, &mut todo),
                (None, None) => {}
            }
        }
    }

    fn add_declared(&mut self, inside: Option<NodeIdx>, automa: &GraphAutoma, todo: &mut Todo) {
        let first = self.nodes.len();
        for (body, _) in automa.declared() {
            self.add_body(inside, body, Standing::Declared, todo);
        }
        for (place, (_, dependencies)) in automa.declared().enumerate() {
            for key in dependencies {
                let from = self.find_or_miss(inside, key);
                self.edges.push(Edge { from, to: first + place, kind: EdgeKind::Dependency });
            }
        }
        for name in automa.detached() {
            self.add(Node::new(name.clone(), inside, Standing::Detached));
        }
    }

    fn add_view(&mut self, inside: Option<NodeIdx>, view: &View<Arc<Body>>, todo: &mut Todo) {
        let n_declared = view.base().nodes.len();
        for (id, node) in view.workers() {
            let added = id.index() >= n_declared;
            let standing = if added { Standing::Added } else { Standing::Declared };
            self.add_body(inside, &node.payload, standing, todo);
        }
        for (_, node) in view.workers() {
            let to = self.find_or_miss(inside, node.key());
            for (_, on) in node.live_dependencies() {
                let from = self.find_or_miss(inside, view.node(on).key());
                self.edges.push(Edge { from, to, kind: EdgeKind::Dependency });
            }
        }
    }

    fn add_body(
        &mut self,
        inside: Option<NodeIdx>,
        body: &Arc<Body>,
        standing: Standing,
        todo: &mut Todo,
    ) {
        let node = Node::new(body.role.key.clone(), inside, standing);
        let idx = self.add(Node {
            start: body.role.wiring.start,
            output: body.role.wiring.output,
            // A nested automa takes it for its workers, which ferry within it.
            context: body.context && body.worker.0.automa().is_none(),
            ..node
        });
        todo.push_back((idx, Arc::clone(body)));
    }
}
