"""The page for people over the interface below ``/api``: HTML, CSS and ES modules, served as they are.

::

    pages ──▶ files ──▶ static/*      page.html and what it loads, under a version made of their content
      └──▶ signing_in                 what the page must know of the OpenID provider, and whom it may ask
"""
