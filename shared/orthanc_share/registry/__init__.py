"""The registry at work: what was taken back, who opens a link, how often.

`store` keeps; here are the rules around it. `registry.Registry` is what a service runs.
"""
