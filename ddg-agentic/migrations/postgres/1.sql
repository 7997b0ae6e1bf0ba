-- Ids are compared byte by byte, as SQLite and memory compare them.
create table ddg_conversations (
    id bigint generated always as identity primary key,
    conversation text collate "C" not null unique,
    version bigint not null,            -- how often it has been saved
    n_messages bigint not null,
    goal text,                          -- JSON, because a text of PostgreSQL has no zero bytes
    summaries text not null,            -- JSON, the first first
    created bigint not null,            -- all times in milliseconds since 1970
    updated bigint not null,
    run text                            -- JSON; a run that is not at its end
);

create index ddg_conversations_by_update on ddg_conversations (updated, conversation);

create table ddg_messages (
    conversation bigint not null references ddg_conversations (id) on delete cascade,
    place bigint not null,              -- from 0, without gaps
    body text not null,                 -- JSON
    primary key (conversation, place)
);

create table ddg_conversation_leases (
    conversation text collate "C" primary key,     -- there may be no such conversation yet
    token text not null,
    owner text not null,
    process text,
    held_until bigint not null
);
