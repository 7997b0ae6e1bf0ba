//! A PostgreSQL server for the tests of this process, and a database for each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// A server's URL, with the name of its own database `postgres` in it.
struct Server {
    url: String,
    /// The server stops when this process ends, since nobody holds its input then.
    _process: Option<Child>,
}

/// A database of a test's own.
pub(crate) struct Database {
    name: String,
    url: String,
}

impl Database {
    /// `None` if no server is available.
    pub(crate) async fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = server()?;
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ddg_test_{}_{n}", std::process::id());
        // A later `dbname` overrides that of the path.
        let join = if server.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{join}dbname={name}", server.url);
        execute(&server.url, &format!("create database {name}")).await;
        Some(Self { name, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn drop(self) {
        let server = server().unwrap();
        execute(&server.url, &format!("drop database {} with (force)", self.name)).await;
    }
}

/// Executes a statement in the database of a URL.
pub(crate) async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

/// How many sessions of the database wait within a transaction.
pub(crate) async fn n_in_transaction(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = "select count(*) from pg_stat_activity \
               where datname = current_database() and state like 'idle in transaction%'";
    let n = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    n
}

/// The server that `DDG_TEST_POSTGRES` names, or one that `.ci/postgres` starts.
///
/// Without either, the tests of PostgreSQL cannot run; a gate must not let that pass.
fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    const NOTICE: &str = "NOT TESTED: no PostgreSQL server could be started (see above); \
                          install PostgreSQL, or set DDG_TEST_POSTGRES to the URL of a server\n";
    let server = SERVER.get_or_init(|| {
        let server = match std::env::var("DDG_TEST_POSTGRES") {
            Ok(url) => Some(Server { url, _process: None }),
            Err(_) => started(),
        };
        if server.is_none() {
            // Written past the test harness, which shows nothing of a test that does not fail.
            let _ = std::io::stderr().write_all(NOTICE.as_bytes());
        }
        server
    });
    assert!(server.is_some() || std::env::var_os("CI").is_none(), "{NOTICE}");
    server.as_ref()
}

fn started() -> Option<Server> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/postgres");
    let started =
        Command::new(script).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut process = match started {
        Ok(process) => process,
        Err(error) => {
            eprintln!("{script}: {error}");
            return None;
        }
    };
    let mut url = String::new();
    BufReader::new(process.stdout.take()?).read_line(&mut url).ok()?;
    let url = url.trim().to_owned();
    if url.is_empty() { None } else { Some(Server { url, _process: Some(process) }) }
}
