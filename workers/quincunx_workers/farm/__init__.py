"""Workers of a farm: processes that take bundles from queues."""
