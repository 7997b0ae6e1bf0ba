alter table ddg_conversations add column standing text;     -- JSON; the active agent, and what a person always allows
