"""The nouns of the API, a file each: a request in, the engine asked, its answer out."""
