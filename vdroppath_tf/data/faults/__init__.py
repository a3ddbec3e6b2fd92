"""Videos that cannot be read: counted, named, kept in a quarantine."""
