create table ddg_files (
    seq integer primary key autoincrement,  -- in the order of creation
    id text not null unique,
    record text not null,                   -- JSON: all that is known of the file
    place text not null,                    -- folder, path or remote
    path text,                              -- if the place is a path
    owned integer not null
) strict;
