# Functions only: compiled as they stand.
