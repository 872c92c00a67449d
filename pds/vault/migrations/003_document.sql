-- Files of the owner, and what is known of them.

-- A sealed blob under files/. Deleting the row makes every copy of the file unreadable.
CREATE TABLE blob (
    id     INTEGER PRIMARY KEY,
    name   BLOB NOT NULL UNIQUE,           -- 16 random bytes; the file's name is their hex
    key    BLOB NOT NULL,                  -- of this blob alone
    size   INTEGER NOT NULL,               -- plain bytes
    sha256 BLOB NOT NULL                   -- of the plain bytes
) STRICT;

CREATE TABLE document (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,             -- a name of pds/store/document_kind.c
    title       TEXT NOT NULL,
    reference   TEXT NOT NULL DEFAULT '',  -- the number printed on it
    issuer      TEXT NOT NULL DEFAULT '',
    issued_on   TEXT,                      -- '2024-05-01'
    expires_on  TEXT,
    remind_days INTEGER NOT NULL,          -- how long before the expiry to remind; 0: never
    note        TEXT NOT NULL DEFAULT '',
    revision    INTEGER NOT NULL,          -- counts changes: for If-Match
    created_at  INTEGER NOT NULL,          -- seconds, UTC
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX document_by_expiry ON document (expires_on) WHERE expires_on IS NOT NULL;

-- The file of a document, and those it replaced. Version 1 is the first.
CREATE TABLE document_version (
    document_number INTEGER NOT NULL REFERENCES document (number),
    version         INTEGER NOT NULL,
    blob_id         INTEGER NOT NULL REFERENCES blob (id),
    file            TEXT NOT NULL,         -- its name as given: a label, never a path
    type            TEXT NOT NULL,         -- media type
    added_at        INTEGER NOT NULL,
    PRIMARY KEY (document_number, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE document_tag (
    document_number INTEGER NOT NULL REFERENCES document (number),
    tag             TEXT NOT NULL,
    PRIMARY KEY (document_number, tag)
) STRICT, WITHOUT ROWID;

-- Documents that go together: what an office asks for at once.
CREATE TABLE bundle (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE bundle_document (
    bundle_number   INTEGER NOT NULL REFERENCES bundle (number),
    document_number INTEGER NOT NULL REFERENCES document (number),
    PRIMARY KEY (bundle_number, document_number)
) STRICT, WITHOUT ROWID;

-- Words of documents as they are searched: in small letters without accents, in their order, a line break
-- before, between and after them. They stand with their document, not in an index of words: so they go with
-- it, at a cost that does not grow with what else there is (decision 0014).
CREATE TABLE document_text (
    document_number INTEGER PRIMARY KEY REFERENCES document (number),
    title           TEXT NOT NULL,
    facts           TEXT NOT NULL,         -- number, issuer, tags, note, the file's name; an empty line between
    body            TEXT NOT NULL          -- of the newest file, when it is text
) STRICT;
