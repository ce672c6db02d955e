"""SE::WaitCondition: waits for signals."""
