"""The pure heart: what is declared and what is observed go in, actions and a status come out.

Nothing here has I/O, a clock or a client; `now` (seconds since the epoch) is always a parameter.
"""
