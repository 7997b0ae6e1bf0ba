alter table ddg_runs
    add column due bigint,                          -- when it is to be continued: null if never
    add column is_inner bigint not null default 0,  -- 1 if it is inside another
    add column awaits text not null default '[]',   -- names of signals, as JSON
    add column n_signals bigint not null default 0,
    add column attempts bigint not null default 0,
    add column reason text,
    add column has_results bigint not null default 1;   -- 0 if it has no results for sure

update ddg_runs set due = created where status = 'running';

create index ddg_runs_by_due on ddg_runs (due) where due is not null;

create table ddg_signals (
    run bigint not null references ddg_runs (id) on delete cascade,
    number bigint not null,
    name text not null,
    body bytea not null,
    primary key (run, number)
);
