"""SCIM 2.0: how a directory such as Entra ID or Okta keeps people and groups here."""
