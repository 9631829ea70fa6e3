"""What an API server does to objects before anyone sees them: defaults, addresses, admission."""
