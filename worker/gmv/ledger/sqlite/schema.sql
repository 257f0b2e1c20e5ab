-- The ledger in one file. A book holds what the partitions that map to it have earned; see the port.
-- 9007199254740991 is MICROS_MAX of the port.

CREATE TABLE metadata (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE positions (
  topic     TEXT    NOT NULL,
  partition INTEGER NOT NULL,
  position  TEXT    NOT NULL,
  PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;

-- By owner first: an owner's total is the sum over the books, and reading all totals is one pass in this order.
CREATE TABLE balances (
  owner_id TEXT    NOT NULL,
  book     INTEGER NOT NULL,
  micros   INTEGER NOT NULL CHECK (micros BETWEEN 0 AND 9007199254740991),
  PRIMARY KEY (owner_id, book)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  book      INTEGER NOT NULL,
  identity  BLOB    NOT NULL,
  topic     TEXT    NOT NULL,
  partition INTEGER NOT NULL,
  "offset"  INTEGER NOT NULL,
  payload   BLOB    NOT NULL,
  PRIMARY KEY (book, identity)
) STRICT, WITHOUT ROWID;

CREATE TABLE sums (
  book         INTEGER PRIMARY KEY,
  micros       INTEGER NOT NULL DEFAULT 0 CHECK (micros BETWEEN 0 AND 9007199254740991),
  credited     INTEGER NOT NULL DEFAULT 0 CHECK (credited BETWEEN 0 AND 9007199254740991),
  dead_letters INTEGER NOT NULL DEFAULT 0 CHECK (dead_letters BETWEEN 0 AND 9007199254740991),
  duplicates   INTEGER NOT NULL DEFAULT 0 CHECK (duplicates BETWEEN 0 AND 9007199254740991),
  corrections  INTEGER NOT NULL DEFAULT 0 CHECK (corrections BETWEEN 0 AND 9007199254740991)
) STRICT;
