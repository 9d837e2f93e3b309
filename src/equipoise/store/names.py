"""The names of a trial's files in its folder; nothing is imported for them, so that commands start fast."""

TRIAL_FILE = "trial.sqlite"
VAULT_FILE = "vault.sqlite"
HEADS_FILE = "heads.jsonl"
