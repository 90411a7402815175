"""The matrix of writers and readers, from reports alone: what each wrote, and whether each of the others reads it.

Strategy: `collect` says what there is to say, `show`, `files` and the template each say it in one form. No adapter is
started; what a reader made of a file stands in its report, tied to the file by a digest.
"""
