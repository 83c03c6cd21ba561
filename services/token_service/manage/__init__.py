"""`/manage`: the shares for people. Pages from the server, usable without JavaScript.

What is created and changed here goes through the API's own answers (`calls`), so that
every rule stands in one place.
"""
