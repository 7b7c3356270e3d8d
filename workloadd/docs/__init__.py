"""Documents made from the code: `make docs` writes them anew, a test compares them.

Which they are says `workloadd.docs.table.DOCUMENTS`.
"""
