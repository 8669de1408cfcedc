def to_lines(scope):
    return []
