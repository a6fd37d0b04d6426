"""The only SQL. Functions take a transaction first, then the reader's scope; they take and
return domain values. Everyone else reaches the database through `Database.read` and `.write`."""
