"""Accounts, and all that the clinic keeps which is not the trial: sessions, drafts, jobs, who came when."""
