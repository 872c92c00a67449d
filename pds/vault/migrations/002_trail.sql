-- The audit trail, and what signs it.

-- Small values of the store itself, by name (pds/store/setting.h lists them).
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys that sign checkpoints and receipts. One has no end: it signs. A retired one keeps its public half, so
-- that what it signed can be verified.
CREATE TABLE signing_key (
    number     INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,              -- of the log, as its notes tell it; it stays when the key changes
    seed       BLOB,                       -- Ed25519; NULL once retired
    public_key BLOB NOT NULL,
    since_at   INTEGER NOT NULL,           -- seconds, UTC
    until_at   INTEGER
) STRICT;

-- Leaves of the Merkle log (RFC 6962), from 0, without holes. A leaf commits to its content with a salt: when
-- content and salt are erased (NULL), the hash stays and proves that there was something.
CREATE TABLE trail_entry (
    number    INTEGER PRIMARY KEY,
    leaf_hash BLOB NOT NULL,               -- 32 bytes
    at        INTEGER NOT NULL,            -- seconds, UTC; never less than the one before
    salt      BLOB,                        -- 32 bytes
    kind      TEXT,                        -- a name of pds/audit/event.h
    who       TEXT,                        -- 'owner', or the id of a service, connector, person
    what      TEXT,                        -- ids and names of datasets: never a value, title or file name
    consent   TEXT                         -- id of the consent it happened under, NULL without one
) STRICT;

-- Roots of whole subtrees of two leaves and more, in the order in which their last leaf came, so that rows only
-- ever join at the end. place: pds/audit/trail.c, docs/trail.md.
CREATE TABLE trail_node (
    place INTEGER PRIMARY KEY,
    hash  BLOB NOT NULL                    -- 32 bytes
) STRICT;
