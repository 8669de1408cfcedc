"""What people write: the models of systems, integrations and environments (DESIGN, section 4).

The models say what a key is, what it may hold and what it is without being written; they are also the JSON
Schemas that editors use. What is right only together with other manifests is :mod:`causeway.plan.checks`.
"""
