create table ddg_assistants (
    seq bigserial primary key,
    id text not null unique,
    tenant text not null,
    body text not null
);
create index ddg_assistants_tenant on ddg_assistants (tenant, seq);

create table ddg_threads (
    seq bigserial primary key,
    id text not null unique,
    tenant text not null,
    body text not null
);

-- Messages and other items. The thread of a response without a conversation is its own id.
create table ddg_thread_items (
    seq bigserial primary key,
    id text not null unique,
    thread text not null,
    run text,
    is_message bigint not null,
    visible bigint not null,
    input bigint not null,
    body text not null
);
create index ddg_thread_items_thread on ddg_thread_items (thread, visible, is_message, seq);
create index ddg_thread_items_run on ddg_thread_items (run, seq);

create table ddg_thread_runs (
    seq bigserial primary key,
    id text not null unique,
    tenant text not null,
    thread text not null,
    is_response bigint not null,
    status text not null,
    active bigint not null,
    expires bigint not null,
    version bigint not null,
    kept bigint not null,
    previous text,
    changed bigint not null,
    settings text not null,
    state text not null
);
-- One active run of a thread.
create unique index ddg_thread_runs_active on ddg_thread_runs (thread) where active = 1;
create index ddg_thread_runs_thread on ddg_thread_runs (thread, seq);
create index ddg_thread_runs_due on ddg_thread_runs (expires) where active = 1;
create index ddg_thread_runs_ended on ddg_thread_runs (changed) where active = 0;
create index ddg_thread_runs_previous on ddg_thread_runs (previous) where previous is not null;

create table ddg_run_steps (
    seq bigserial primary key,
    id text not null unique,
    run text not null,
    body text not null
);
create index ddg_run_steps_run on ddg_run_steps (run, seq);

create table ddg_run_events (
    run text not null,
    number bigint not null,
    name text not null,
    data text not null,
    primary key (run, number)
);
