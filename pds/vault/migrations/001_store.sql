-- What the owner has, where it came from, and by which import.

-- Where records come from: one meter, account or device of one provider.
CREATE TABLE source (
    id         INTEGER PRIMARY KEY,
    provider   TEXT NOT NULL,              -- 'enedis'
    reference  TEXT NOT NULL,              -- the meter's number as written; '' when the file does not say
    created_at INTEGER NOT NULL,           -- seconds, UTC
    UNIQUE (provider, reference)
) STRICT;

-- Records of one dataset from one source at one grain ('curve', 'daily', 'index'). Two series
-- that tell the same quantity are kept apart and never added together.
CREATE TABLE series (
    id        INTEGER PRIMARY KEY,
    dataset   TEXT NOT NULL,               -- a name of pds/store/datasets
    source_id INTEGER NOT NULL REFERENCES source (id),
    grain     TEXT NOT NULL,
    records   INTEGER NOT NULL DEFAULT 0,  -- how many it has
    UNIQUE (dataset, source_id, grain)
) STRICT;

-- One file, or one run of a connector, that brought records.
CREATE TABLE import (
    number     INTEGER PRIMARY KEY,        -- order of beginning
    id         TEXT NOT NULL,              -- random, so unique; imports are few, so without an index
    file       TEXT NOT NULL,              -- its name as given: a label, never a path
    format     TEXT NOT NULL,              -- '' until it is recognised
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,                    -- NULL while it runs
    undone_at  INTEGER,
    failure    TEXT                        -- name of the outcome that ended it, NULL when it went well
) STRICT;

-- What an import wrote in one transaction. Numbers follow the order in which these became durable, so that
-- "before" and "after" mean the same for imports that run at the same time. No index: undoing walks them once.
CREATE TABLE import_part (
    number        INTEGER PRIMARY KEY,
    import_number INTEGER NOT NULL REFERENCES import (number)
) STRICT;

-- What an import did to one dataset: the figures that its answer told.
CREATE TABLE import_count (
    import_number INTEGER NOT NULL REFERENCES import (number),
    dataset       TEXT NOT NULL,
    new           INTEGER NOT NULL,
    same          INTEGER NOT NULL,
    replaced      INTEGER NOT NULL,
    rejected      INTEGER NOT NULL,
    PRIMARY KEY (import_number, dataset)
) STRICT, WITHOUT ROWID;

-- A record covers [start_at, end_at). Its value is exact: value / denominator of its dataset, in the
-- dataset's unit. more: numerators of further values, as a JSON array in the dataset's order.
CREATE TABLE record (
    series_id INTEGER NOT NULL,
    start_at  INTEGER NOT NULL,
    end_at    INTEGER NOT NULL,
    value     INTEGER NOT NULL,
    quality   INTEGER NOT NULL,            -- 1 estimated … 4 definitive: a greater one is better
    part      INTEGER NOT NULL,            -- number of the import_part that brought it
    line      INTEGER NOT NULL,            -- of the import's file; 0 when another import confirmed it
    more      TEXT,
    PRIMARY KEY (series_id, start_at, end_at)
) STRICT, WITHOUT ROWID;

-- What a record said before a later part replaced it.
CREATE TABLE record_history (
    series_id   INTEGER NOT NULL,
    start_at    INTEGER NOT NULL,
    end_at      INTEGER NOT NULL,
    replaced_by INTEGER NOT NULL,          -- number of that part
    value       INTEGER NOT NULL,
    quality     INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    more        TEXT,
    PRIMARY KEY (series_id, start_at, end_at, replaced_by)
) STRICT, WITHOUT ROWID;

-- The stretch of each series that a part touched, so that undoing it reads no more than that.
CREATE TABLE record_extent (
    part      INTEGER NOT NULL REFERENCES import_part (number),
    series_id INTEGER NOT NULL REFERENCES series (id),
    start_at  INTEGER NOT NULL,
    end_at    INTEGER NOT NULL,
    PRIMARY KEY (part, series_id)
) STRICT, WITHOUT ROWID;

-- Unbroken runs of records that a part found there already, alike. When the import that brought them
-- is undone, they stay, as this one's.
CREATE TABLE record_confirmed (
    series_id INTEGER NOT NULL REFERENCES series (id),
    start_at  INTEGER NOT NULL,
    end_at    INTEGER NOT NULL,
    part      INTEGER NOT NULL REFERENCES import_part (number),
    PRIMARY KEY (series_id, start_at, end_at, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_confirmed_by_part ON record_confirmed (part);
