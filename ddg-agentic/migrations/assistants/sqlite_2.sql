-- Runs that are deleted once they have ended, which are few.
create index ddg_thread_runs_unkept on ddg_thread_runs (kept) where active = 0 and kept = 0;
