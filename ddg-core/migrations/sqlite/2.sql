alter table ddg_runs add column due integer;                -- when it is to be continued: null if never
alter table ddg_runs add column is_inner integer not null default 0;  -- 1 if it is inside another
alter table ddg_runs add column awaits text not null default '[]';  -- names of signals, as JSON
alter table ddg_runs add column n_signals integer not null default 0;
alter table ddg_runs add column attempts integer not null default 0;
alter table ddg_runs add column reason text;
alter table ddg_runs add column has_results integer not null default 1;  -- 0 if it has no results for sure

update ddg_runs set due = created where status = 'running';

create index ddg_runs_by_due on ddg_runs (due) where due is not null;

create table ddg_signals (
    run integer not null references ddg_runs (id) on delete cascade,
    number integer not null,
    name text not null,
    body blob not null,
    primary key (run, number)
);
