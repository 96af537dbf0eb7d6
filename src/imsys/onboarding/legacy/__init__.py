"""The older system's exports: their documents, what each field becomes here, how packages merge. Pure."""
