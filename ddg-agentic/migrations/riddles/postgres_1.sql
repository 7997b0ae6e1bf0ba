create table ddg_riddles (
    seq bigserial primary key,
    id text not null unique,
    parent text,
    cause text,
    depth bigint not null,
    n_below bigint not null default 0,
    posed text not null,
    ended_at bigint,
    outcome text,
    unique (parent, cause)
);
create index ddg_riddles_running on ddg_riddles (seq) where ended_at is null;

create table ddg_riddle_messages (
    number bigserial primary key,
    time bigint not null,
    riddle text not null,
    sender text not null,
    receiver text not null,
    stage text not null,
    message text not null
);
create index ddg_riddle_messages_of on ddg_riddle_messages (riddle, number);

create table ddg_riddle_deliveries (
    number bigint primary key,
    time bigint not null,
    riddle text not null,
    key text not null,
    stage text not null,
    agent text not null,
    is_held bigint not null default 0,
    is_late bigint not null default 0,
    reply text,
    unique (riddle, key)
);
