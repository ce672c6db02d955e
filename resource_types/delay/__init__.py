"""SE::Delay: waits, so that what comes after it comes later."""
