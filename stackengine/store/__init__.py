"""Tables, event log, leases, secrets, migrations: all SQL."""
