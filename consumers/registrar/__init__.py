"""Does with a new version of a model what was decided: asks for its test, announces its reference, moves its alias, says that it serves."""
