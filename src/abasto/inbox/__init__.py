"""Reports from outside: text messages, tables and forms, read into facts without guessing."""
