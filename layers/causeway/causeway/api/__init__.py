"""The HTTP interface to watch and operate a stack: routes below ``/api``, thin over ``causeway.operations``.

::

    app ──▶ routes.* ──▶ stack ──▶ operations, delivery.pauses
     │        │
     │        └──▶ operation, parameters, schemas     what a route is, as data: read by app and description
     └──▶ problems                                    what went wrong, RFC 9457
"""
