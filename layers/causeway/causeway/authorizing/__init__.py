"""Who calls, and what they may: API keys, and tokens of an OpenID provider."""
