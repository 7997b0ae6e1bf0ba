//! One automa made of parts: a shared fragment, a block of its own type, and its own workers. One
//! of them replaces a worker of a fragment on purpose.
//!
//! ```text
//! Library (a type of its own)   search ─▶ rank ─┐
//! Agent, fragment `memory`      recall ─────────┴─▶ answer (Agent)
//! Agent                         rank, in place of the library's
//! ```

use std::sync::Arc;

use ddg_core::prelude::*;

/// Finds books. An automa itself, and a part of others.
struct Library {
    titles: Vec<&'static str>,
}

#[automa]
impl Library {
    #[worker(start)]
    async fn search(&self, question: String) -> Vec<String> {
        let hit = |title: &&str| question.split(' ').any(|word| title.contains(word));
        let hits: Vec<_> = self.titles.iter().filter(|title| hit(title)).collect();
        println!("  search finds {hits:?}");
        hits.into_iter().map(ToString::to_string).collect()
    }

    /// Keeps the order in which the books were found.
    #[worker(dependencies = [search])]
    async fn rank(&self, titles: Vec<String>) -> Vec<String> {
        println!("  rank (the library's) leaves them as they are");
        titles
    }
}

struct Agent {
    library: Arc<Library>,
}

/// A part of `Agent`: a second block of the same type, which could be in another file.
#[automa(fragment = memory)]
impl Agent {
    #[worker(start)]
    async fn recall(&self, question: String) -> String {
        println!("  recall looks for {question:?}");
        "you liked short books".into()
    }
}

#[automa(fragments = [self.library, Self::memory])]
impl Agent {
    /// This is the key of the library's worker. Without `override` that is an error.
    #[worker(dependencies = [dynamic("search")], override)]
    async fn rank(&self, mut titles: Vec<String>) -> Vec<String> {
        println!("  rank (the agent's) puts the shortest first");
        titles.sort_by_key(String::len);
        titles
    }

    #[worker(dependencies = [rank, dynamic("recall")], output)]
    async fn answer(&self, titles: Vec<String>, memory: String) -> String {
        let first = titles.first().map_or("nothing", String::as_str);
        format!("{first}, because {memory}")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let library = Arc::new(Library {
        titles: vec!["a history of graphs and trees", "on trees", "on rivers"],
    });
    let agent = Agent { library }.build()?;
    println!("the agent's graph:");
    for key in agent.keys() {
        println!("  {key} after {:?}", agent.dependencies(key.as_str()).unwrap_or_default());
    }
    println!("a run:");
    let answer = agent.run(args!(question = "trees")).await?;
    println!("{answer}");
    assert_eq!(answer, "on trees, because you liked short books");
    Ok(())
}
