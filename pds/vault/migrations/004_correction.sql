-- What the owner says of records, and what shall be gone.

-- A remark on a stretch of a dataset.
CREATE TABLE annotation (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    dataset    TEXT NOT NULL,
    start_at   INTEGER NOT NULL,           -- seconds, UTC
    end_at     INTEGER NOT NULL,
    text       TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX annotation_by_dataset ON annotation (dataset, start_at);

-- An erasure that has begun. It goes on at the next opening until nothing is left of what it names; then its
-- row goes too. NULL stands for "any".
CREATE TABLE erasure (
    number    INTEGER PRIMARY KEY,
    dataset   TEXT,
    source_id INTEGER,
    from_at   INTEGER,                     -- records that start in [from_at, to_at)
    to_at     INTEGER,
    whole     INTEGER NOT NULL,            -- 1: everything that the store holds
    bare      INTEGER NOT NULL DEFAULT 0,  -- 1: records alone; notes, imports and sources stay
    line      INTEGER NOT NULL,            -- of the trail, that tells of it: all before it are emptied when whole
    begun_at  INTEGER NOT NULL,
    deleted   INTEGER NOT NULL DEFAULT 0   -- 1: all of it is; what came since stays, the log is to be cleaned
) STRICT;

-- The length in seconds of the longest record that a series ever had: where its last one ends is found without
-- reading further back. Of series that are older than this column nobody noted it: the most that a record may have.
ALTER TABLE series ADD COLUMN longest_s INTEGER NOT NULL DEFAULT 34560000;
