create table ddg_runs (
    id integer primary key,
    run text not null unique,
    automa text not null,
    origin text,                        -- the run that this one was forked from
    origin_step integer,
    status text not null,
    created integer not null,           -- all times in milliseconds since 1970
    updated integer not null,
    step integer,                       -- the last step that has a state
    full_step integer,                  -- the last step that has a whole state
    token integer not null,
    owner text,
    process text,
    held_until integer not null
);

create index ddg_runs_by_creation on ddg_runs (created, run);

create table ddg_states (
    run integer not null references ddg_runs (id) on delete cascade,
    step integer not null,
    kind integer not null,              -- 0 a whole state, 1 a change
    written integer not null,
    body blob not null,
    primary key (run, step)
);

create table ddg_results (
    run integer not null references ddg_runs (id) on delete cascade,
    kickoff integer not null,
    body blob not null,
    primary key (run, kickoff)
);
