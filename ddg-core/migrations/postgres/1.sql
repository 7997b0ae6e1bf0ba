create table ddg_runs (
    id bigint generated always as identity primary key,
    run text collate "C" not null unique,
    automa text not null,
    origin text,                        -- the run that this one was forked from
    origin_step bigint,
    status text not null,
    created bigint not null,            -- all times in milliseconds since 1970
    updated bigint not null,
    step bigint,                        -- the last step that has a state
    full_step bigint,                   -- the last step that has a whole state
    token bigint not null,
    owner text,
    process text,
    held_until bigint not null
);

create index ddg_runs_by_creation on ddg_runs (created, run);

create table ddg_states (
    run bigint not null references ddg_runs (id) on delete cascade,
    step bigint not null,
    kind bigint not null,               -- 0 a whole state, 1 a change
    written bigint not null,
    body bytea not null,
    primary key (run, step)
);

create table ddg_results (
    run bigint not null references ddg_runs (id) on delete cascade,
    kickoff bigint not null,
    body bytea not null,
    primary key (run, kickoff)
);
