"""What stands in for a model: weights that are really read, tokens, and a step that needs every rank."""
