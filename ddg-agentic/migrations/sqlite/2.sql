alter table ddg_conversations add column run text;     -- JSON; a run that is not at its end
