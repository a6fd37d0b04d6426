"""What tables have in common: the metadata, and columns that several of them have."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, MetaData, Text

metadata = MetaData()


# SQLite gives 64-bit row numbers only to a column declared INTEGER.
SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")


def ms(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def project_name() -> Column[str]:
    return Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), nullable=False)


def counts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]
