"""A person's wish: checked, authorised, audited, stored. One module a noun.

Every write that a person causes goes through here, and nothing else is checked anywhere else.
"""
