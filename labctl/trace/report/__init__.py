"""A trace for people, for programs, as a picture and as captures."""
