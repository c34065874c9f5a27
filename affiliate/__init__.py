"""A self-hosted partner program server: a package per stage of the pipeline, imports one way."""
