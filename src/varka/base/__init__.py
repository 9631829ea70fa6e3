"""Values that every layer uses: origins, diagnostics, names, durations, hashing, the memo. Imports
nothing of ours."""
