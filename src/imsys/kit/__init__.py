"""Small parts that everything else may use: standard library only."""
