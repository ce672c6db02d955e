"""SE::WaitConditionHandle: where guests send signals to."""
