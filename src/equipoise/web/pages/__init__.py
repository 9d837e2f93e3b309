"""The pages, by what they are about; each draws what `request.seen` shows, and records nothing itself."""
