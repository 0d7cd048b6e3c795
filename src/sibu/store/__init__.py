"""F2, what is kept on disk: hashes, writes that never leave half a file, the cache, rows and arrays."""
