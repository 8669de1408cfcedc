"""The map and the plan: manifest models, compiler, and the compiled plan that functions load."""
