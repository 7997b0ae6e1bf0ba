create table ddg_conversations (
    id integer primary key,
    conversation text not null unique,
    version integer not null,           -- how often it has been saved
    n_messages integer not null,
    goal text,
    summaries text not null,            -- JSON, the first first
    created integer not null,           -- all times in milliseconds since 1970
    updated integer not null
) strict;

create index ddg_conversations_by_update on ddg_conversations (updated, conversation);

create table ddg_messages (
    conversation integer not null references ddg_conversations (id) on delete cascade,
    place integer not null,             -- from 0, without gaps
    body text not null,                 -- JSON
    primary key (conversation, place)
) strict, without rowid;
