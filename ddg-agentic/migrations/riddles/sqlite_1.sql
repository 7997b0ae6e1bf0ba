create table ddg_riddles (
    seq integer primary key autoincrement,
    id text not null unique,
    parent text,
    cause text,
    depth integer not null,
    n_below integer not null default 0,
    posed text not null,
    ended_at integer,
    outcome text,
    unique (parent, cause)
) strict;
create index ddg_riddles_running on ddg_riddles (seq) where ended_at is null;

create table ddg_riddle_messages (
    number integer primary key autoincrement,
    time integer not null,
    riddle text not null,
    sender text not null,
    receiver text not null,
    stage text not null,
    message text not null
) strict;
create index ddg_riddle_messages_of on ddg_riddle_messages (riddle, number);

create table ddg_riddle_deliveries (
    number integer primary key,
    time integer not null,
    riddle text not null,
    key text not null,
    stage text not null,
    agent text not null,
    is_held integer not null default 0,
    is_late integer not null default 0,
    reply text,
    unique (riddle, key)
) strict;
