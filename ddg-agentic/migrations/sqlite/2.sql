alter table ddg_conversations add column run text;     -- JSON; a run that is not at its end

create table ddg_conversation_leases (
    conversation text primary key,      -- there may be no such conversation yet
    token text not null,
    owner text not null,
    process text,
    held_until integer not null
) strict, without rowid;
